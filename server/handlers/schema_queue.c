/* SPDX-License-Identifier: GPL-3.0-or-later
 * Advertised queues: any names, each with a description or images; owners of restricted ones. */
#include "server/handlers/handlers.h"

#include <string.h>

static int check_queue(const char *name, struct err *err)
{
    if (!*name || strlen(name) > NAME_MAX_BYTES)
        return err_set(err, ERR_INVALID, "a queue's name has 1 to %d bytes", NAME_MAX_BYTES);
    return 0;
}

static bool is_text(struct json_object *value)
{
    return json_object_is_type(value, json_type_string) &&
           !memchr(json_object_get_string(value), '\0', (size_t)json_object_get_string_len(value));
}

static int check_queues(struct json_object *value, struct err *err)
{
    json_object_object_foreach(value, name, description)
    {
        if (check_queue(name, err) < 0)
            return -1;
        if (!is_text(description))
            return err_set(err, ERR_INVALID,
                           "the description of queue \"%.200s\" is not a string without U+0000",
                           name);
    }
    return 0;
}

/* Names of images are taken as today's servers take them: some kept them as keys of a database. */
static int check_images(const char *queue, struct json_object *images, struct err *err)
{
    if (!json_object_is_type(images, json_type_object))
        return err_set(err, ERR_INVALID, "the images of queue \"%.200s\" are not an object", queue);
    json_object_object_foreach(images, name, data)
    {
        if (!*name || *name == '$' || strchr(name, '.'))
            return err_set(err, ERR_INVALID,
                           "an image of queue \"%.200s\" has an empty name, or one that begins "
                           "with $ or contains a dot",
                           queue);
        if (!is_text(data))
            return err_set(err, ERR_INVALID,
                           "what image \"%.100s\" of queue \"%.200s\" stands for is not a string "
                           "without U+0000",
                           name, queue);
    }
    return 0;
}

static int check_queue_images(struct json_object *value, struct err *err)
{
    json_object_object_foreach(value, queue, images)
    {
        if (check_queue(queue, err) < 0 || check_images(queue, images, err) < 0)
            return -1;
    }
    return 0;
}

static const struct schema_field no_fields[] = {{.type = SCHEMA_END}};
const struct schema schema_queues = {.fields = no_fields, .open = true, .check = check_queues};
const struct schema schema_images = {
    .fields = no_fields, .open = true, .check = check_queue_images};

static const struct schema_field owner_fields[] = {
    {.name = "client_id", .type = SCHEMA_STRING, .required = true, .max = NAME_MAX_BYTES},
    {.type = SCHEMA_END},
};
const struct schema schema_owner = {.fields = owner_fields};
