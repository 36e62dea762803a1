/* SPDX-License-Identifier: GPL-3.0-or-later
 * Members of objects by name and type. */
#include "common/json.h"

struct json_object *jsn_get(struct json_object *json, const char *key)
{
    struct json_object *value = NULL;

    if (!json_object_is_type(json, json_type_object))
        return NULL;
    return json_object_object_get_ex(json, key, &value) ? value : NULL;
}

const char *jsn_text(struct json_object *json, const char *key)
{
    struct json_object *value = jsn_get(json, key);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t jsn_int(struct json_object *json, const char *key, int64_t fallback)
{
    struct json_object *value = jsn_get(json, key);

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : fallback;
}

int jsn_set(struct json_object *json, const char *key, struct json_object *value, struct err *err)
{
    if (json_object_object_add(json, key, value) == 0)
        return 0;
    json_object_put(value);
    return err_set(err, ERR_INTERNAL, "out of memory");
}
