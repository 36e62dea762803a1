/* SPDX-License-Identifier: GPL-3.0-or-later
 * The types of options: which settings and texts they take.  What is wrong with an entry of a list
 * is said with the entry's own line. */
#include "common/option_value.h"

#include "common/parse.h"

#include <stdlib.h>
#include <string.h>

static void *field_of(const struct option_row *row, void *into)
{
    return (char *)into + row->offset;
}

static int out_of_memory(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory");
}

static int set_string(void *field, const char *text, struct err *err)
{
    char *copy = strdup(text);

    if (!copy)
        return out_of_memory(err);
    free(*(char **)field);
    *(char **)field = copy;
    return 0;
}

static int list_add(struct option_list *list, const char *text, size_t len, struct err *err)
{
    char **items;

    if (list->count == OPTION_LIST_MAX)
        return err_set(err, ERR_INVALID, "more than %d entries", OPTION_LIST_MAX);
    items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (!items)
        return out_of_memory(err);
    list->items = items;
    items[list->count] = strndup(text, len);
    if (!items[list->count])
        return out_of_memory(err);
    list->count++;
    return 0;
}

static int list_split(struct option_list *list, const char *text, struct err *err)
{
    while (*text) {
        size_t len = strcspn(text, ",");

        if (len && list_add(list, text, len, err) < 0)
            return -1;
        text += len + (text[len] == ',');
    }
    return 0;
}

int option_set_text(const struct option_row *row, void *into, const char *text, struct err *err)
{
    void *field = field_of(row, into);

    switch (row->type) {
    case OPTION_TYPE_STRING:
        return set_string(field, text, err);
    case OPTION_TYPE_INT:
        return parse_int64(text, row->min, row->max, field, err);
    case OPTION_TYPE_BOOL:
        return parse_bool(text, field, err);
    case OPTION_TYPE_LIST:
        return list_split(field, text, err);
    case OPTION_TYPE_GROUPS:
        return err_set(err, ERR_INVALID, "can be set in a configuration file only");
    case OPTION_TYPE_END:
        break;
    }
    return err_set(err, ERR_INTERNAL, "unknown type of option");
}

int option_add_entry(struct option_list *list, const char *text, struct err *err)
{
    return list_add(list, text, strlen(text), err);
}

int option_add_group(struct option_groups *groups, const struct option_row *row,
                     const char *const *texts, struct err *err)
{
    char *(*items)[OPTION_FIELDS_MAX];

    if (groups->count == OPTION_LIST_MAX)
        return err_set(err, ERR_INVALID, "more than %d entries", OPTION_LIST_MAX);
    items = realloc(groups->items, (groups->count + 1) * sizeof(*items));
    if (!items)
        return out_of_memory(err);
    groups->items = items;
    memset(items[groups->count], 0, sizeof(items[0]));
    groups->count++; /* a half-filled one is freed with the others */
    for (int i = 0; row->fields[i]; i++)
        if (set_string(&items[groups->count - 1][i], texts[i], err) < 0)
            return -1;
    return 0;
}

/* --- lists ----------------------------------------------------------------------------- */

static int set_list(struct option_reader *r, struct option_list *list,
                    const config_setting_t *setting)
{
    int before = r->mistakes;

    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *entry = config_setting_get_elem(setting, (unsigned)i);
        const char *text = config_setting_get_string(entry);
        struct err err = ERR_INIT;

        if (!text)
            (void)option_mistake(r, entry, "entry %d is not a text in double quotes", i + 1);
        else if (list_add(list, text, strlen(text), &err) < 0)
            return option_mistake(r, entry, "%s", err.text);
    }
    return r->mistakes > before ? -1 : 0;
}

static int position_of(const char *const *fields, const char *name)
{
    for (int i = 0; fields[i]; i++)
        if (strcmp(fields[i], name) == 0)
            return i;
    return -1;
}

static void set_member(struct option_reader *r, char *into[OPTION_FIELDS_MAX],
                       const config_setting_t *member)
{
    const char *name = config_setting_name(member);
    const char *text = config_setting_get_string(member);
    int at = position_of(r->row->fields, name);
    struct err err = ERR_INIT;

    if (at < 0)
        (void)option_mistake(r, member, "unknown key \"%s\"", name);
    else if (set_string(&into[at], text ? text : "", &err) < 0)
        (void)option_mistake(r, member, "%s", err.text);
    else if (!text)
        (void)option_mistake(r, member, "\"%s\" is not a text in double quotes", name);
}

/* Fills one group's texts, by position; all fields must be there and no other. */
static void set_group(struct option_reader *r, char *into[OPTION_FIELDS_MAX], int number,
                      const config_setting_t *group)
{
    if (!config_setting_is_group(group)) {
        (void)option_mistake(r, group, "entry %d is not a group { … }", number);
        return;
    }
    for (int i = 0; i < config_setting_length(group); i++)
        set_member(r, into, config_setting_get_elem(group, (unsigned)i));
    for (int i = 0; r->row->fields[i]; i++)
        if (!into[i])
            (void)option_mistake(r, group, "entry %d: \"%s\" is missing", number,
                                 r->row->fields[i]);
}

static int set_groups(struct option_reader *r, struct option_groups *groups,
                      const config_setting_t *setting)
{
    int count = config_setting_length(setting);
    int before = r->mistakes;

    if (count > OPTION_LIST_MAX)
        return option_mistake(r, setting, "more than %d entries", OPTION_LIST_MAX);
    groups->items = calloc((size_t)count + 1, sizeof(*groups->items));
    if (!groups->items)
        return option_mistake(r, setting, "out of memory");
    groups->count = (size_t)count;
    for (int i = 0; i < count; i++)
        set_group(r, groups->items[i], i + 1, config_setting_get_elem(setting, (unsigned)i));
    return r->mistakes > before ? -1 : 0;
}

/* --- settings -------------------------------------------------------------------------- */

static int set_number(struct option_reader *r, int64_t *field, const config_setting_t *setting)
{
    int64_t value = config_setting_get_int64(setting);

    if (value < r->row->min || value > r->row->max)
        return option_mistake(r, setting, "%lld is not between %lld and %lld", (long long)value,
                              (long long)r->row->min, (long long)r->row->max);
    *field = value;
    return 0;
}

static int set_setting_string(struct option_reader *r, void *field, const config_setting_t *setting)
{
    struct err err = ERR_INIT;

    if (set_string(field, config_setting_get_string(setting), &err) < 0)
        return option_mistake(r, setting, "%s", err.text);
    return 0;
}

int option_set_setting(struct option_reader *r, const config_setting_t *setting)
{
    static const char *const wanted[] = {
        [OPTION_TYPE_STRING] = "a text in double quotes",
        [OPTION_TYPE_INT] = "a whole number",
        [OPTION_TYPE_BOOL] = "true or false",
        [OPTION_TYPE_LIST] = "a list of texts",
        [OPTION_TYPE_GROUPS] = "a list of groups { … }",
    };
    void *field = field_of(r->row, r->into);
    enum option_type type = r->row->type;
    int found = config_setting_type(setting);
    bool listed = found == CONFIG_TYPE_LIST || found == CONFIG_TYPE_ARRAY;

    if (type == OPTION_TYPE_STRING && found == CONFIG_TYPE_STRING)
        return set_setting_string(r, field, setting);
    if (type == OPTION_TYPE_INT && (found == CONFIG_TYPE_INT || found == CONFIG_TYPE_INT64))
        return set_number(r, field, setting);
    if (type == OPTION_TYPE_BOOL && found == CONFIG_TYPE_BOOL) {
        *(bool *)field = config_setting_get_bool(setting) != 0;
        return 0;
    }
    if (type == OPTION_TYPE_LIST && listed)
        return set_list(r, field, setting);
    if (type == OPTION_TYPE_GROUPS && listed)
        return set_groups(r, field, setting);
    return option_mistake(r, setting, "wrong type of value: %s is wanted", wanted[type]);
}

/* --- freeing --------------------------------------------------------------------------- */

static void free_groups(struct option_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        for (int k = 0; k < OPTION_FIELDS_MAX; k++)
            free(groups->items[i][k]);
    free(groups->items);
    *groups = (struct option_groups){0};
}

static void free_list(struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct option_list){0};
}

void option_free(const struct option_row *rows, void *into)
{
    for (const struct option_row *row = rows; row->name; row++) {
        void *field = field_of(row, into);

        if (row->type == OPTION_TYPE_STRING) {
            free(*(char **)field);
            *(char **)field = NULL;
        } else if (row->type == OPTION_TYPE_LIST) {
            free_list(field);
        } else if (row->type == OPTION_TYPE_GROUPS) {
            free_groups(field);
        }
    }
}
