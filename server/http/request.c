/* SPDX-License-Identifier: GPL-3.0-or-later
 * What handlers ask of a request. */
#include "server/http/request.h"

#include "common/parse.h"

#include <assert.h>
#include <string.h>

static const char *find(const struct pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

const char *request_param(const struct request *req, const char *name)
{
    const char *value = find(req->params, req->param_count, name);

    assert(value); /* the route table names it */
    return value;
}

int request_uuid(const struct request *req, const char *name, char ret_uuid[static UUID_TEXT_SIZE],
                 struct err *err)
{
    const char *text = request_param(req, name);

    if (parse_uuid(text, strlen(text), ret_uuid, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST, "\"%.100s\" is not a job id", text);
    return 0;
}

const char *request_query(const struct request *req, const char *name)
{
    return find(req->query, req->query_count, name);
}

const char *request_header(const struct request *req, const char *name)
{
    return find(req->headers, req->header_count, name);
}

bool request_has_version(const struct request *req, const char *version)
{
    const char *seen = request_header(req, "if-none-match");

    return seen && (strcmp(seen, "*") == 0 || strstr(seen, version) != NULL);
}

bool request_gone(const struct request *req)
{
    return req->gone && atomic_load(req->gone);
}

int request_wait(const struct request *req, int64_t *ret_seconds, struct err *err)
{
    const char *text = request_query(req, "wait");

    *ret_seconds = 0;
    if (text && parse_int64(text, 1, WAIT_MAX_S, ret_seconds, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST, "wait is not between 1 and %d seconds", WAIT_MAX_S);
    return 0;
}
