/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads YAML: libyaml's events become a json-c tree, one function per kind of node.
 *
 * Aliases copy what their anchor named.  Every value adds to the document's weight, copied ones
 * again, so the limit on the weight bounds memory and time whatever the aliases do. */
#include "common/yaml.h"

#include "common/cleanup.h"
#include "common/yaml_scalar.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define NODE_WEIGHT 64 /* what json-c spends on a value, roughly */
#define TAG_PREFIX  "tag:yaml.org,2002:"

struct anchor {
    char *name;
    struct json_object *json; /* our reference */
    size_t weight;
};

struct loader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one being looked at */
    struct yml_rules *rules;
    struct anchor *anchors;
    size_t anchor_count;
    size_t weight;
    yml_key_fn *on_key; /* or NULL */
    void *arg;
};

static int fail_at(yaml_mark_t mark, enum err_code code, const char *why, struct err *err)
{
    return err_set(err, code, "line %zu, column %zu: %s", mark.line + 1, mark.column + 1, why);
}

static int parser_failed(const yaml_parser_t *parser, struct err *err)
{
    const char *why = parser->problem ? parser->problem : "unreadable";

    if (parser->error == YAML_MEMORY_ERROR)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (parser->error == YAML_READER_ERROR)
        return err_set(err, ERR_BAD_REQUEST, "byte %zu: %s", parser->problem_offset, why);
    return fail_at(parser->problem_mark, ERR_BAD_REQUEST, why, err);
}

/* Moves on to the next event. */
static int advance(struct loader *l, struct err *err)
{
    yaml_event_delete(&l->event);
    if (!yaml_parser_parse(&l->parser, &l->event))
        return parser_failed(&l->parser, err);
    return 0;
}

static int add_weight(struct loader *l, size_t weight, struct err *err)
{
    if (weight > YML_WEIGHT_MAX - l->weight)
        return fail_at(l->event.start_mark, ERR_TOO_LARGE,
                       "the document is too large once its aliases are expanded", err);
    l->weight += weight;
    return 0;
}

static size_t height(struct json_object *json)
{
    size_t highest = 0;

    if (json_object_is_type(json, json_type_object)) {
        json_object_object_foreach(json, key, value)
        {
            size_t h = height(value);

            (void)key;
            highest = h > highest ? h : highest;
        }
        return highest + 1;
    }
    if (json_object_is_type(json, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(json); i++) {
            size_t h = height(json_object_array_get_idx(json, i));

            highest = h > highest ? h : highest;
        }
        return highest + 1;
    }
    return 0;
}

static int remember(struct loader *l, const char *name, struct json_object *json, size_t weight,
                    struct err *err)
{
    struct anchor *anchors;
    char *copy;

    if (l->anchor_count == YML_ANCHORS_MAX)
        return fail_at(l->event.start_mark, ERR_TOO_LARGE, "too many anchors", err);
    anchors = realloc(l->anchors, (l->anchor_count + 1) * sizeof(*anchors));
    if (!anchors)
        return err_set(err, ERR_INTERNAL, "out of memory");
    l->anchors = anchors;
    copy = strdup(name);
    if (!copy)
        return err_set(err, ERR_INTERNAL, "out of memory");
    anchors[l->anchor_count++] = (struct anchor){copy, json_object_get(json), weight};
    return 0;
}

/* An anchor may be given anew: the last one counts.  One that is still open (a node inside itself)
 * is not known yet, so there are no cycles. */
static const struct anchor *find_anchor(const struct loader *l, const char *name)
{
    for (size_t i = l->anchor_count; i > 0; i--)
        if (strcmp(l->anchors[i - 1].name, name) == 0)
            return &l->anchors[i - 1];
    return NULL;
}

static int load_alias(struct loader *l, size_t depth, struct json_object **ret_json,
                      struct err *err)
{
    const struct anchor *anchor = find_anchor(l, (const char *)l->event.data.alias.anchor);
    struct json_object *copy = NULL;

    if (!anchor)
        return fail_at(l->event.start_mark, ERR_BAD_REQUEST, "alias of an unknown anchor", err);
    if (depth + height(anchor->json) > YML_DEPTH_MAX)
        return fail_at(l->event.start_mark, ERR_BAD_REQUEST, "nested too deeply", err);
    if (add_weight(l, anchor->weight, err) < 0)
        return -1;
    if (anchor->json && json_object_deep_copy(anchor->json, &copy, NULL) < 0)
        return err_set(err, ERR_INTERNAL, "out of memory");
    *ret_json = copy;
    return 0;
}

/* Finds the type that an explicit tag asks for; without one a plain scalar's text decides. */
static int scalar_type(const struct loader *l, enum yml_type *ret_type, struct err *err)
{
    const char *text = (const char *)l->event.data.scalar.value;
    const char *tag = (const char *)l->event.data.scalar.tag;
    size_t len = l->event.data.scalar.length;
    static const char *const numbers[] = {"int", "float", "bool", "null"};

    if (!tag) {
        *ret_type = l->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
                        ? yml_rules_type(l->rules, text, len)
                        : YML_STRING;
        return 0;
    }
    if (strcmp(tag, "!") == 0 || strcmp(tag, TAG_PREFIX "str") == 0) {
        *ret_type = YML_STRING;
        return 0;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strncmp(tag, TAG_PREFIX, strlen(TAG_PREFIX)) == 0 &&
            strcmp(tag + strlen(TAG_PREFIX), numbers[i]) == 0) {
            *ret_type = yml_rules_type(l->rules, text, len);
            return 0;
        }
    }
    return fail_at(l->event.start_mark, ERR_BAD_REQUEST, "tag that is not supported", err);
}

static int load_scalar(struct loader *l, struct json_object **ret_json, struct err *err)
{
    enum yml_type type = YML_STRING;

    if (add_weight(l, NODE_WEIGHT + l->event.data.scalar.length, err) < 0 ||
        scalar_type(l, &type, err) < 0)
        return -1;
    if (yml_scalar_value(type, (const char *)l->event.data.scalar.value,
                         l->event.data.scalar.length, ret_json, err) < 0)
        return err_prefix(err, "line %zu, column %zu", l->event.start_mark.line + 1,
                          l->event.start_mark.column + 1);
    return 0;
}

static int load_node(struct loader *l, size_t depth, struct json_object **ret_json,
                     struct err *err);

/* The event is the start of a sequence; leaves at its end. */
static int load_sequence(struct loader *l, size_t depth, struct json_object *array, struct err *err)
{
    for (;;) {
        struct json_object *item = NULL;

        if (advance(l, err) < 0)
            return -1;
        if (l->event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        if (load_node(l, depth, &item, err) < 0)
            return -1;
        if (json_object_array_add(array, item) < 0) {
            (void)json_object_put(item);
            return err_set(err, ERR_INTERNAL, "out of memory");
        }
    }
}

/* JSON has text keys only; numbers and words as keys become what JSON would write for them. */
static int load_key(struct loader *l, size_t depth, char **ret_key, struct err *err)
{
    yaml_mark_t mark = l->event.start_mark;
    struct json_object *json = NULL;
    const char *text;
    int rc = 0;

    if (load_node(l, depth, &json, err) < 0)
        return -1;
    text = json_object_is_type(json, json_type_string) ? json_object_get_string(json)
                                                       : json_object_to_json_string(json);
    if (json_object_is_type(json, json_type_object) || json_object_is_type(json, json_type_array))
        rc = fail_at(mark, ERR_BAD_REQUEST, "a key must be a plain value", err);
    else if (json_object_is_type(json, json_type_string) &&
             strlen(text) != (size_t)json_object_get_string_len(json))
        rc = fail_at(mark, ERR_BAD_REQUEST, "a key must not hold a NUL", err);
    else if (!(*ret_key = strdup(text)))
        rc = err_set(err, ERR_INTERNAL, "out of memory");
    (void)json_object_put(json);
    return rc;
}

static bool is_merge_key(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && !event->data.scalar.tag &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           strcmp((const char *)event->data.scalar.value, "<<") == 0;
}

static int set_member(struct json_object *object, const char *key, struct json_object *value,
                      struct err *err)
{
    if (json_object_object_add(object, key, value) < 0) {
        (void)json_object_put(value);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    return 0;
}

/* Members of the merged mapping that the mapping lacks. */
static int merge_one(struct json_object *object, struct json_object *merged, struct err *err)
{
    json_object_object_foreach(merged, key, value)
    {
        if (!json_object_object_get_ex(object, key, NULL) &&
            set_member(object, key, json_object_get(value), err) < 0)
            return -1;
    }
    return 0;
}

static int merge(struct json_object *object, struct json_object *merged, yaml_mark_t mark,
                 struct err *err)
{
    if (json_object_is_type(merged, json_type_object))
        return merge_one(object, merged, err);
    if (!json_object_is_type(merged, json_type_array))
        return fail_at(mark, ERR_BAD_REQUEST, "only mappings can be merged", err);
    for (size_t i = 0; i < json_object_array_length(merged); i++) {
        struct json_object *item = json_object_array_get_idx(merged, i);

        if (!json_object_is_type(item, json_type_object))
            return fail_at(mark, ERR_BAD_REQUEST, "only mappings can be merged", err);
        if (merge_one(object, item, err) < 0)
            return -1;
    }
    return 0;
}

/* One key and its value; the event is the key. */
static int load_member(struct loader *l, size_t depth, struct json_object *object,
                       struct json_object **merged, struct err *err)
{
    AUTO_FREE char *key = NULL;
    struct json_object *value = NULL;
    bool is_merge = is_merge_key(&l->event);
    size_t line = l->event.start_mark.line + 1;

    if (!is_merge && load_key(l, depth, &key, err) < 0)
        return -1;
    if (key && l->on_key)
        l->on_key(l->arg, depth, key, line);
    if (advance(l, err) < 0 || load_node(l, depth, &value, err) < 0)
        return -1;
    if (!is_merge)
        return set_member(object, key, value, err);
    (void)json_object_put(*merged);
    *merged = value;
    return 0;
}

/* The event is the start of a mapping; leaves at its end.  Of two equal keys the last counts. */
static int load_mapping(struct loader *l, size_t depth, struct json_object *object, struct err *err)
{
    yaml_mark_t mark = l->event.start_mark;
    struct json_object *merged = NULL;
    int rc;

    while ((rc = advance(l, err)) == 0 && l->event.type != YAML_MAPPING_END_EVENT)
        if ((rc = load_member(l, depth, object, &merged, err)) < 0)
            break;
    if (rc == 0 && merged)
        rc = merge(object, merged, mark, err);
    (void)json_object_put(merged);
    return rc;
}

static int load_collection(struct loader *l, size_t depth, struct json_object **ret_json,
                           struct err *err)
{
    bool mapping = l->event.type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *tag =
        mapping ? l->event.data.mapping_start.tag : l->event.data.sequence_start.tag;
    struct json_object *json;
    int rc;

    if (tag && strcmp((const char *)tag, mapping ? TAG_PREFIX "map" : TAG_PREFIX "seq") != 0)
        return fail_at(l->event.start_mark, ERR_BAD_REQUEST, "tag that is not supported", err);
    if (depth >= YML_DEPTH_MAX)
        return fail_at(l->event.start_mark, ERR_BAD_REQUEST, "nested too deeply", err);
    if (add_weight(l, NODE_WEIGHT, err) < 0)
        return -1;
    json = mapping ? json_object_new_object() : json_object_new_array();
    if (!json)
        return err_set(err, ERR_INTERNAL, "out of memory");
    rc = mapping ? load_mapping(l, depth + 1, json, err) : load_sequence(l, depth + 1, json, err);
    if (rc < 0) {
        (void)json_object_put(json);
        return -1;
    }
    *ret_json = json;
    return 0;
}

static const char *event_anchor(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return (const char *)event->data.scalar.anchor;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return (const char *)event->data.sequence_start.anchor;
    return (const char *)event->data.mapping_start.anchor;
}

/* Reads the node that starts at the present event, and leaves at its last one. */
static int load_node(struct loader *l, size_t depth, struct json_object **ret_json, struct err *err)
{
    AUTO_FREE char *anchor = NULL;
    struct json_object *json = NULL;
    size_t before = l->weight;
    int rc;

    if (l->event.type == YAML_ALIAS_EVENT)
        return load_alias(l, depth, ret_json, err);
    if (event_anchor(&l->event) && !(anchor = strdup(event_anchor(&l->event))))
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (l->event.type == YAML_SCALAR_EVENT)
        rc = load_scalar(l, &json, err);
    else
        rc = load_collection(l, depth, &json, err);
    if (rc == 0 && anchor)
        rc = remember(l, anchor, json, l->weight - before, err);
    if (rc < 0) {
        (void)json_object_put(json);
        return -1;
    }
    *ret_json = json;
    return 0;
}

static int load_stream(struct loader *l, struct json_object **ret_json, struct err *err)
{
    struct json_object *json = NULL;

    if (advance(l, err) < 0 || advance(l, err) < 0)
        return -1;
    if (l->event.type == YAML_STREAM_END_EVENT) {
        *ret_json = NULL;
        return 0;
    }
    if (advance(l, err) < 0 || load_node(l, 0, &json, err) < 0)
        return -1;
    /* the end of the document, then of the stream */
    if (advance(l, err) < 0 || advance(l, err) < 0 || l->event.type != YAML_STREAM_END_EVENT) {
        (void)json_object_put(json);
        return l->event.type == YAML_DOCUMENT_START_EVENT
                   ? fail_at(l->event.start_mark, ERR_BAD_REQUEST, "more than one document", err)
                   : -1;
    }
    *ret_json = json;
    return 0;
}

static void loader_done(struct loader *l)
{
    for (size_t i = 0; i < l->anchor_count; i++) {
        free(l->anchors[i].name);
        (void)json_object_put(l->anchors[i].json);
    }
    free(l->anchors);
    yaml_event_delete(&l->event);
    yaml_parser_delete(&l->parser);
    yml_rules_free(l->rules);
}

int yml_parse(const char *text, size_t len, struct json_object **ret_json, struct err *err)
{
    return yml_parse_keys(text, len, NULL, NULL, ret_json, err);
}

int yml_parse_keys(const char *text, size_t len, yml_key_fn *on_key, void *arg,
                   struct json_object **ret_json, struct err *err)
{
    struct loader l = {.on_key = on_key, .arg = arg};
    int rc;

    if (len > YML_TEXT_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %zu bytes", YML_TEXT_MAX);
    l.rules = yml_rules_new(err);
    if (!l.rules)
        return -1;
    if (!yaml_parser_initialize(&l.parser)) {
        yml_rules_free(l.rules);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, len);
    rc = load_stream(&l, ret_json, err);
    loader_done(&l);
    return rc;
}
