/* SPDX-License-Identifier: GPL-3.0-or-later
 * One rule in one place: a client that read it otherwise would leave jobs waiting for ever. */
#include "common/submission.h"

#include <string.h>

bool submission_has_attachments(struct json_object *job)
{
    static const char ending[] = "_data";
    const size_t ending_len = sizeof(ending) - 1;

    json_object_object_foreach(job, key, section)
    {
        size_t len = strlen(key);

        if (len >= ending_len && strcmp(key + len - ending_len, ending) == 0 &&
            json_object_is_type(section, json_type_object) &&
            json_object_object_get_ex(section, "attachments", NULL))
            return true;
    }
    return false;
}
