/* SPDX-License-Identifier: GPL-3.0-or-later
 * What several handlers need. */
#include "server/handlers/handlers.h"

#include <string.h>

int handler_name(const struct request *req, const char *param, const char **ret_name,
                 struct err *err)
{
    const char *name = request_param(req, param);

    if (strlen(name) > NAME_MAX_BYTES)
        return err_set(err, ERR_INVALID, "a name is longer than %d bytes", NAME_MAX_BYTES);
    *ret_name = name;
    return 0;
}

int check_phase(struct json_object *value, struct err *err)
{
    if (phase_from_name(json_object_get_string(value)) < 0)
        return err_set(err, ERR_INVALID, "no phase of that name");
    return 0;
}

int handler_poster(const struct request *req, struct poster *ret_poster, struct err *err)
{
    const char *token = request_header(req, "testflinger-lease");
    char uuid[UUID_TEXT_SIZE];

    if (token &&
        (strlen(token) != UUID_TEXT_SIZE - 1 || parse_uuid(token, strlen(token), uuid, NULL) < 0))
        return err_set(err, ERR_CONFLICT, "no lease has this token");
    *ret_poster = (struct poster){.agent = req->agent_name, .token = token};
    return 0;
}

int handler_reader(const struct request *req, struct poster *ret_poster, struct err *err)
{
    if (req->caller.role == ROLE_AGENT)
        return handler_poster(req, ret_poster, err);
    *ret_poster = (struct poster){.agent = NULL};
    return 0;
}

int handler_attempt(const struct request *req, int64_t *ret_attempt, struct err *err)
{
    const char *text = request_query(req, "attempt");

    *ret_attempt = ATTEMPT_NEWEST;
    if (text && parse_int64(text, 0, INT32_MAX, ret_attempt, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST, "attempt is not a number of 0 or more");
    return 0;
}
