/* SPDX-License-Identifier: GPL-3.0-or-later
 * Types: what YAML took for a number may have been meant as a text and the other way round.  A
 * number in place of a text is written as YAML understood it, which may not be what was typed
 * (0123, 1:30): it is told. */
#include "agent/convert_value.h"

#include "common/json.h"

#include <string.h>

#define LEFT_OUT      "left out"
#define TAKEN_AS_TEXT "not a text in YAML, its value was taken as one"

struct target {
    const struct option_row *row;
    struct config *config;
    const struct convert_loss *loss;
};

static int lose(const struct target *t, const char *outer, const char *inner, const char *why)
{
    t->loss->tell(t->loss->arg, outer, inner, why);
    return -1;
}

static void *field_of(const struct target *t)
{
    return (char *)t->config + t->row->offset;
}

/* The text of a scalar, NULL for anything else; *ret_changed if it was none in YAML.  It lives as
 * long as json. */
static const char *text_of(struct json_object *json, bool *ret_changed)
{
    bool is_text = json_object_is_type(json, json_type_string);
    const char *text;

    if (!json || json_object_is_type(json, json_type_object) ||
        json_object_is_type(json, json_type_array))
        return NULL;
    text = json_object_get_string(json);
    if (is_text && strlen(text) != (size_t)json_object_get_string_len(json))
        return NULL; /* a NUL in it */
    *ret_changed = *ret_changed || !is_text;
    return text;
}

static int convert_scalar(const struct target *t, struct json_object *json)
{
    enum option_type type = t->row->type;
    bool is_bool = json_object_is_type(json, json_type_boolean);
    bool changed = false;
    const char *text = text_of(json, &changed);
    struct err err = ERR_INIT;

    if (!text)
        return lose(t, NULL, NULL, "neither a text nor a number: " LEFT_OUT);
    if ((type == OPTION_TYPE_BOOL && changed && !is_bool) || (type == OPTION_TYPE_INT && is_bool) ||
        option_set_text(t->row, t->config, text, &err) < 0)
        return lose(t, NULL, NULL,
                    type == OPTION_TYPE_INT ? "not a whole number in the range allowed: " LEFT_OUT
                                            : "neither true nor false: " LEFT_OUT);
    if (type == OPTION_TYPE_STRING && changed)
        (void)lose(t, NULL, NULL, TAKEN_AS_TEXT);
    return 0;
}

static void convert_entry(const struct target *t, struct json_object *json)
{
    bool changed = false;
    const char *text = text_of(json, &changed);
    struct err err = ERR_INIT;

    if (!text)
        (void)lose(t, NULL, NULL, "an entry that is not a text: " LEFT_OUT);
    else if (option_add_entry(field_of(t), text, &err) < 0)
        (void)lose(t, NULL, NULL, "too many entries: the rest is " LEFT_OUT);
    else if (changed)
        (void)lose(t, NULL, NULL, "an entry is " TAKEN_AS_TEXT);
}

static int convert_list(const struct target *t, struct json_object *json)
{
    if (json_object_is_type(json, json_type_string)) {
        convert_entry(t, json);
        (void)lose(t, NULL, NULL, "a text, not a list: it was taken as the only entry");
        return 0;
    }
    if (!json_object_is_type(json, json_type_array))
        return lose(t, NULL, NULL, "not a list: " LEFT_OUT);
    for (size_t i = 0; i < json_object_array_length(json); i++)
        convert_entry(t, json_object_array_get_idx(json, i));
    return 0;
}

/* {queue: description} */
static int convert_queues(const struct target *t, struct json_object *json)
{
    json_object_object_foreach(json, queue, value)
    {
        bool changed = false;
        const char *text = value ? text_of(value, &changed) : "";
        const char *const texts[] = {queue, text};
        struct err err = ERR_INIT;

        if (!text)
            (void)lose(t, queue, NULL, "its description is not a text: " LEFT_OUT);
        else if (option_add_group(field_of(t), t->row, texts, &err) < 0)
            return lose(t, queue, NULL, "too many queues: the rest is " LEFT_OUT);
        else if (changed)
            (void)lose(t, queue, NULL, TAKEN_AS_TEXT);
    }
    return 0;
}

static void convert_image(const struct target *t, const char *queue, const char *image,
                          struct json_object *value)
{
    bool changed = false;
    const char *text = text_of(value, &changed);
    const char *const texts[] = {queue, image, text};
    struct err err = ERR_INIT;

    if (!text)
        (void)lose(t, queue, image, "its data is not a text: " LEFT_OUT);
    else if (option_add_group(field_of(t), t->row, texts, &err) < 0)
        (void)lose(t, queue, image, "too many images: " LEFT_OUT);
    else if (changed)
        (void)lose(t, queue, image, TAKEN_AS_TEXT);
}

/* {queue: {image: data}} */
static int convert_images(const struct target *t, struct json_object *json)
{
    json_object_object_foreach(json, queue, images)
    {
        if (!images)
            continue;
        if (!json_object_is_type(images, json_type_object)) {
            (void)lose(t, queue, NULL, "not a mapping of images: " LEFT_OUT);
            continue;
        }
        json_object_object_foreach(images, image, value)
        {
            convert_image(t, queue, image, value);
        }
    }
    return 0;
}

static int convert_groups(const struct target *t, struct json_object *json)
{
    if (!json_object_is_type(json, json_type_object))
        return lose(t, NULL, NULL, "not a mapping: " LEFT_OUT);
    return t->row->fields[2] ? convert_images(t, json) : convert_queues(t, json);
}

int convert_value(const struct option_row *row, struct json_object *json, struct config *config,
                  const struct convert_loss *loss)
{
    const struct target target = {row, config, loss};

    if (row->type == OPTION_TYPE_LIST)
        return convert_list(&target, json);
    if (row->type == OPTION_TYPE_GROUPS)
        return convert_groups(&target, json);
    return convert_scalar(&target, json);
}
