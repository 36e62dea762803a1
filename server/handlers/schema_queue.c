/* SPDX-License-Identifier: GPL-3.0-or-later
 * Advertised queues: any names, each with a description. */
#include "server/handlers/handlers.h"

#include <string.h>

static int check_queues(struct json_object *value, struct err *err)
{
    json_object_object_foreach(value, name, description)
    {
        if (!*name || strlen(name) > NAME_MAX_BYTES)
            return err_set(err, ERR_INVALID, "a queue's name has 1 to %d bytes", NAME_MAX_BYTES);
        if (!json_object_is_type(description, json_type_string))
            return err_set(err, ERR_INVALID, "the description of queue \"%.200s\" is not a string",
                           name);
        if (memchr(json_object_get_string(description), '\0',
                   (size_t)json_object_get_string_len(description)))
            return err_set(err, ERR_INVALID, "the description of queue \"%.200s\" contains U+0000",
                           name);
    }
    return 0;
}

static const struct schema_field no_fields[] = {{.type = SCHEMA_END}};
const struct schema schema_queues = {.fields = no_fields, .open = true, .check = check_queues};
