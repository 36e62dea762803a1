/* SPDX-License-Identifier: GPL-3.0-or-later
 * The engine: walks the document along the tables and builds two trees, the checked copy and the
 * complaints.  The input is not changed, so that one shape after the other can be tried on it.
 *
 * Complaints are NULL (none), a list of reasons, or an object with the complaints of what is
 * inside. */
#include "common/schema.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/schema_value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OBJECT_KEY "_schema" /* where complaints about an object itself stand */

#define COMPLAINTS_MAX 1000 /* more are dropped: what is refused is refused */

struct load {
    bool no_memory; /* one check at the end; complaints are incomplete then */
    int complaints;
};

static struct json_object *load_value(struct load *l, const struct schema_field *field,
                                      struct json_object *value, struct json_object **ret_value);
static struct json_object *load_object(struct load *l, const struct schema *schema,
                                       struct json_object *value, struct json_object **ret_value);

static struct json_object *keep(struct load *l, struct json_object *made)
{
    if (!made)
        l->no_memory = true;
    return made;
}

/* ["why"] */
static struct json_object *complain(struct load *l, const char *why)
{
    struct json_object *list, *text;

    if (l->complaints == COMPLAINTS_MAX)
        return NULL;
    l->complaints++;
    list = keep(l, json_object_new_array_ext(1));
    text = keep(l, json_object_new_string(why));
    if (!list || !text || json_object_array_add(list, text) < 0) {
        l->no_memory = true;
        json_object_put(text);
        json_object_put(list);
        return NULL;
    }
    return list;
}

/* Puts complaint (may be NULL) under key of *all, which is made when needed. */
static void file_complaint(struct load *l, struct json_object **all, const char *key,
                           struct json_object *complaint)
{
    if (!complaint)
        return;
    if (!*all)
        *all = keep(l, json_object_new_object());
    if (!*all) {
        json_object_put(complaint);
        return;
    }
    if (jsn_set(*all, key, complaint, NULL) < 0)
        l->no_memory = true;
}

static struct json_object *complain_of_object(struct load *l, const char *why)
{
    struct json_object *all = NULL;

    file_complaint(l, &all, OBJECT_KEY, complain(l, why));
    return all;
}

static void add_member(struct load *l, struct json_object *object, const char *key,
                       struct json_object *value)
{
    if (jsn_set(object, key, value, NULL) < 0)
        l->no_memory = true;
}

static void add_item(struct load *l, struct json_object *list, struct json_object *value)
{
    if (json_object_array_add(list, value) < 0) {
        json_object_put(value);
        l->no_memory = true;
    }
}

static const char *position_key(size_t i, char text[static 24])
{
    (void)snprintf(text, 24, "%zu", i);
    return text;
}

/* Free form takes everything but faults. */
static struct json_object *find_faults(struct load *l, struct json_object *value)
{
    struct json_object *all = NULL;
    const char *why = jsn_fault(value);
    char position[24];

    if (why)
        return complain(l, why);
    if (json_object_is_type(value, json_type_array))
        for (size_t i = 0; i < json_object_array_length(value); i++)
            file_complaint(l, &all, position_key(i, position),
                           find_faults(l, json_object_array_get_idx(value, i)));
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, key, member)
        {
            file_complaint(l, &all, key, find_faults(l, member));
        }
    }
    return all;
}

static struct json_object *load_free_form(struct load *l, struct json_object *value,
                                          struct json_object **ret_value)
{
    struct json_object *all = find_faults(l, value);

    if (!all)
        *ret_value = json_object_get(value);
    return all;
}

/* Takes the size of a list or a map; the reason if it is not allowed, else NULL. */
static struct json_object *check_count(struct load *l, const struct schema_field *field,
                                       size_t count)
{
    char why[80];

    if (field->min > 0 && count < (size_t)field->min)
        (void)snprintf(why, sizeof(why), "fewer than %lld items", (long long)field->min);
    else if (field->max > 0 && count > (size_t)field->max)
        (void)snprintf(why, sizeof(why), "more than %lld items", (long long)field->max);
    else
        return NULL;
    return complain(l, why);
}

static struct json_object *load_list(struct load *l, const struct schema_field *field,
                                     struct json_object *value, struct json_object **ret_value)
{
    struct json_object *all = NULL, *list;
    char position[24];

    if (!json_object_is_type(value, json_type_array))
        return complain(l, "not a list");
    list = keep(l, json_object_new_array());
    for (size_t i = 0; list && i < json_object_array_length(value); i++) {
        struct json_object *item = NULL;

        file_complaint(l, &all, position_key(i, position),
                       load_value(l, field->items, json_object_array_get_idx(value, i), &item));
        add_item(l, list, item);
    }
    if (!all)
        all = check_count(l, field, json_object_array_length(value));
    if (all)
        json_object_put(list);
    else
        *ret_value = list;
    return all;
}

static struct json_object *check_key(struct load *l, const struct schema_field *field,
                                     const char *key)
{
    struct json_object *text, *complaint = NULL;
    struct err err = ERR_INIT;

    if (!field->key_check)
        return NULL;
    text = keep(l, json_object_new_string(key));
    if (text && field->key_check(text, &err) < 0)
        complaint = complain(l, err.text);
    json_object_put(text);
    return complaint;
}

static struct json_object *load_map(struct load *l, const struct schema_field *field,
                                    struct json_object *value, struct json_object **ret_value)
{
    struct json_object *all = NULL, *map;

    if (!json_object_is_type(value, json_type_object))
        return complain(l, "not an object");
    map = keep(l, json_object_new_object());
    if (!map)
        return NULL;
    json_object_object_foreach(value, key, member)
    {
        struct json_object *entry = NULL, *loaded = NULL;

        file_complaint(l, &entry, "key", check_key(l, field, key));
        file_complaint(l, &entry, "value", load_value(l, field->items, member, &loaded));
        file_complaint(l, &all, key, entry);
        add_member(l, map, key, loaded);
    }
    if (!all)
        all = check_count(l, field, (size_t)json_object_object_length(value));
    if (all)
        json_object_put(map);
    else
        *ret_value = map;
    return all;
}

static struct json_object *load_variant(struct load *l, const struct schema_field *field,
                                        struct json_object *value, struct json_object **ret_value)
{
    if (!json_object_is_type(value, json_type_object))
        return complain_of_object(l, "not an object");
    for (size_t i = 0; field->variants[i]; i++) {
        int before = l->complaints;
        struct json_object *complaints = load_object(l, field->variants[i], value, ret_value);

        if (!complaints)
            return NULL;
        json_object_put(complaints);
        l->complaints = before;
    }
    return complain_of_object(l, "fits none of the known shapes");
}

static struct json_object *load_scalar(struct load *l, const struct schema_field *field,
                                       struct json_object *value, struct json_object **ret_value)
{
    struct err err = ERR_INIT;

    if (schema_scalar(field, value, ret_value, &err) == 0)
        return NULL;
    if (err.code == ERR_INTERNAL)
        l->no_memory = true;
    return complain(l, err.text);
}

static struct json_object *load_by_type(struct load *l, const struct schema_field *field,
                                        struct json_object *value, struct json_object **ret_value)
{
    if (schema_is_scalar(field->type))
        return load_scalar(l, field, value, ret_value);
    if (field->type == SCHEMA_LIST)
        return load_list(l, field, value, ret_value);
    if (field->type == SCHEMA_MAP)
        return load_map(l, field, value, ret_value);
    if (field->type == SCHEMA_VARIANT)
        return load_variant(l, field, value, ret_value);
    assert(field->type == SCHEMA_OBJECT);
    if (field->nested)
        return load_object(l, field->nested, value, ret_value);
    if (!json_object_is_type(value, json_type_object))
        return complain(l, "not an object");
    return load_free_form(l, value, ret_value);
}

static struct json_object *load_value(struct load *l, const struct schema_field *field,
                                      struct json_object *value, struct json_object **ret_value)
{
    struct json_object *complaints, *loaded = NULL;
    struct err err = ERR_INIT;

    if (!value)
        return field->nullable ? NULL : complain(l, "must not be null");
    if (jsn_fault(value))
        return complain(l, jsn_fault(value));
    complaints = load_by_type(l, field, value, &loaded);
    if (!complaints && loaded && field->check && field->check(loaded, &err) < 0) {
        complaints = complain(l, err.text);
        json_object_put(loaded);
        loaded = NULL;
    }
    if (!complaints)
        *ret_value = loaded;
    return complaints;
}

static const struct schema_field *find_field(const struct schema *schema, const char *name)
{
    for (const struct schema_field *field = schema->fields; field->type != SCHEMA_END; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

/* A field no table knows.  Open objects complain as a whole, since the names are the users'. */
static void load_unknown(struct load *l, const struct schema *schema, const char *key,
                         struct json_object *value, struct json_object **ret_value,
                         struct json_object **all)
{
    struct json_object *faults;

    if (!schema->open) {
        file_complaint(l, all, key, complain(l, "Unknown field."));
        return;
    }
    faults = load_free_form(l, value, ret_value);
    if (faults)
        file_complaint(l, all, OBJECT_KEY, complain(l, "a value in it is out of range"));
    json_object_put(faults);
}

/* Fields that are not in value: fallbacks go into object, required ones are missed. */
static void add_missing(struct load *l, const struct schema *schema, struct json_object *value,
                        struct json_object *object, struct json_object **all)
{
    for (const struct schema_field *field = schema->fields; field->type != SCHEMA_END; field++) {
        struct json_object *fallback;

        if (json_object_object_get_ex(value, field->name, NULL))
            continue;
        if (field->required)
            file_complaint(l, all, field->name, complain(l, "required field is missing"));
        if (!field->fallback)
            continue;
        if (jsn_parse(field->fallback, strlen(field->fallback), &fallback, NULL) == 0)
            add_member(l, object, field->name, fallback);
        else
            l->no_memory = true; /* the tables are ours, so nothing else can be wrong */
    }
}

static struct json_object *load_object(struct load *l, const struct schema *schema,
                                       struct json_object *value, struct json_object **ret_value)
{
    struct json_object *all = NULL, *object;
    struct err err = ERR_INIT;

    if (!json_object_is_type(value, json_type_object))
        return complain_of_object(l, "not an object");
    object = keep(l, json_object_new_object());
    if (!object)
        return NULL;
    json_object_object_foreach(value, key, member)
    {
        const struct schema_field *field = find_field(schema, key);
        struct json_object *loaded = NULL;

        if (field)
            file_complaint(l, &all, key, load_value(l, field, member, &loaded));
        else
            load_unknown(l, schema, key, member, &loaded, &all);
        add_member(l, object, key, loaded);
    }
    add_missing(l, schema, value, object, &all);
    if (!all && schema->check && schema->check(object, &err) < 0)
        all = complain_of_object(l, err.text);
    if (all)
        json_object_put(object);
    else
        *ret_value = object;
    return all;
}

static int report(struct json_object *complaints, struct buf *detail, struct err *err)
{
    if (jsn_add_tree(detail, complaints) < 0)
        return err_set(err, ERR_INTERNAL, "complaints about a request do not fit");
    return err_set(err, ERR_INVALID, "Validation error");
}

int schema_load(const struct schema *schema, const char *text, size_t len,
                struct json_object **ret_json, struct buf *detail, struct err *err)
{
    struct json_object *body, *complaints, *json = NULL;
    struct load load = {.no_memory = false};
    int rc = 0;

    if (len == 0) {
        text = "{}";
        len = 2;
    }
    if (jsn_parse_faults(text, len, &body, err) < 0)
        return -1;
    complaints = load_object(&load, schema, body, &json);
    if (load.no_memory)
        rc = err_set(err, ERR_INTERNAL, "out of memory");
    else if (complaints)
        rc = report(complaints, detail, err);
    else
        *ret_json = take_ptr(&json);
    json_object_put(json);
    json_object_put(complaints);
    json_object_put(body);
    return rc;
}
