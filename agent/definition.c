/* SPDX-License-Identifier: GPL-3.0-or-later
 * The rules about <phase>_data in one place. */
#include "agent/definition.h"

#include "common/json.h"
#include "common/parse.h"

#include <stdio.h>
#include <string.h>

#define KEY_SIZE 32

int definition_parse(const char *text, size_t len, struct json_object **ret_definition,
                     struct err *err)
{
    struct json_object *json;
    const char *id;
    char uuid[UUID_TEXT_SIZE];

    if (jsn_parse(text, len, &json, err) < 0)
        return -1;
    id = json_object_is_type(json, json_type_object) ? jsn_text(json, "job_id") : NULL;
    if (!id || parse_uuid(id, strlen(id), uuid, NULL) < 0) {
        json_object_put(json);
        return err_set(err, ERR_INVALID, "the job has no valid job_id");
    }
    *ret_definition = json;
    return 0;
}

static const char *data_key(enum phase phase, char room[static KEY_SIZE])
{
    (void)snprintf(room, KEY_SIZE, "%s_data", phase_name(phase));
    return room;
}

static struct json_object *data_of(struct json_object *definition, enum phase phase)
{
    char key[KEY_SIZE];

    return jsn_get(definition, data_key(phase, key));
}

bool definition_wants(struct json_object *definition, enum phase phase)
{
    struct json_object *data = data_of(definition, phase);

    if (phase == PHASE_SETUP || phase == PHASE_CLEANUP)
        return true;
    if (!json_object_is_type(data, json_type_object)) /* what is no object is empty or a mistake */
        return false;
    return json_object_object_length(data) > 0 && !json_object_get_boolean(jsn_get(data, "skip"));
}

struct json_object *definition_secrets(struct json_object *definition, enum phase phase)
{
    struct json_object *secrets = jsn_get(data_of(definition, phase), "secrets");

    return json_object_is_type(secrets, json_type_object) ? secrets : NULL;
}

bool definition_has_attachments(struct json_object *definition)
{
    const char *status = jsn_text(definition, "attachments_status");

    return status && strcmp(status, "complete") == 0;
}

void definition_drop_attachments(struct json_object *definition)
{
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        struct json_object *data = data_of(definition, phase);

        if (json_object_is_type(data, json_type_object))
            json_object_object_del(data, "attachments");
    }
}
