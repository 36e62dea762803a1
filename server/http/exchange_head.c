/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a header says: everything that can be decided before the body comes, in the order of
 * docs/protocol.md: framing, route, method, token, role, size. */
#include "server/http/exchange.h"

#include "server/http/cookie.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct collecting {
    struct exchange *ex;
    struct err *err;
};

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct collecting *c = cls;

    (void)kind;
    if (headers_add(&c->ex->headers, name, name_len, value, value_len, c->err) < 0)
        return MHD_NO;
    return MHD_YES;
}

static int collect_headers(struct exchange *ex, struct err *err)
{
    struct collecting c = {ex, err};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(ex->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct err failure = ERR_INIT;

    c.err = &failure;
    if (headers_init(&ex->headers, info ? info->header_size : 0, err) < 0)
        return -1;
    (void)MHD_get_connection_values_n(ex->connection, MHD_HEADER_KIND, take_header, &c);
    ex->req.headers = ex->headers.items;
    ex->req.header_count = ex->headers.count;
    return failure.code ? err_set(err, failure.code, "%s", failure.text) : 0;
}

static bool id_usable(const char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (len == 0 || len >= REQUEST_ID_SIZE)
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
            return false;
    return true;
}

/* The client's id if it is harmless in logs and headers, else one of ours. */
static void name_request(struct exchange *ex)
{
    const char *given = headers_get(&ex->headers, "x-request-id");
    struct loop *loop = ex->loop;

    if (given && id_usable(given))
        (void)snprintf(ex->req.id, sizeof(ex->req.id), "%s", given);
    else
        (void)snprintf(ex->req.id, sizeof(ex->req.id), "%016" PRIx64 "-%" PRIx64, loop->id_base,
                       loop->id_count++);
}

static int check_target(struct exchange *ex, const struct err *target_err, struct err *err)
{
    if (target_err->code)
        return err_set(err, target_err->code, "%s", target_err->text);
    if (!ex->target.path_valid)
        return err_set(err, ERR_NOT_FOUND, "there is nothing here");
    return 0;
}

static int find_route(struct exchange *ex, struct err *err)
{
    struct route_match *match = &ex->match;

    if (router_find(&ex->loop->options.router, ex->req.method, ex->target.parts, match, err) < 0)
        return -1;
    ex->req.route = match->route;
    for (size_t i = 0; i < match->param_count; i++)
        ex->req.params[i] = (struct pair){match->params[i].name, match->params[i].value};
    ex->req.param_count = match->param_count;
    ex->req.query = ex->target.query;
    ex->req.query_count = ex->target.query_count;
    return 0;
}

static int check_caller(struct exchange *ex, struct err *err)
{
    return auth_check(ex->loop->auth, headers_get(&ex->headers, "authorization"),
                      ex->match.route->roles, &ex->req.caller, err);
}

static int read_cookie(struct exchange *ex, struct err *err)
{
    const char *header = headers_get(&ex->headers, "cookie");
    int found =
        header ? cookie_find(header, "agent_name", ex->agent_name, sizeof(ex->agent_name), err) : 0;

    if (found == 1 && ex->agent_name[0])
        ex->req.agent_name = ex->agent_name;
    return found < 0 ? -1 : 0;
}

static int check_size(struct exchange *ex, struct err *err)
{
    const struct route *route = ex->match.route;
    uint64_t max = route->body == BODY_UPLOAD ? ex->loop->options.upload_max_bytes + FORM_MAX_BYTES
                   : route->body == BODY_JSON ? route->body_max
                                              : SWALLOW_MAX_BYTES;

    buf_init(&ex->req.body, route->body == BODY_JSON ? route->body_max : 0);
    if (ex->length > 0 && (uint64_t)ex->length > max)
        return err_set(err, ERR_TOO_LARGE, "body is larger than %" PRIu64 " bytes", max);
    return 0;
}

/* The order is the contract's. */
static int judge(struct exchange *ex, const struct err *target_err, const struct err *header_err,
                 struct err *err)
{
    ex->length = INT64_MAX; /* what is behind a bad header cannot be trusted */
    if (header_err->code)
        return err_set(err, header_err->code, "%s", header_err->text);
    if (headers_framing(&ex->headers, &ex->length, err) < 0)
        return -1;
    if (check_target(ex, target_err, err) < 0 || find_route(ex, err) < 0)
        return -1;
    if (!ex->match.route) /* OPTIONS */
        return 0;
    if (check_caller(ex, err) < 0 || read_cookie(ex, err) < 0)
        return -1;
    return check_size(ex, err);
}

void exchange_judge(struct exchange *ex, const char *method)
{
    struct err target_err = ex->err;
    struct err header_err = ERR_INIT;
    struct err err = ERR_INIT;

    ex->err = (struct err)ERR_INIT;
    (void)collect_headers(ex, &header_err);
    name_request(ex);
    ex->req.method = method;
    ex->req.path = ex->target.path;
    ex->req.peer = ex->conn->peer;
    if (judge(ex, &target_err, &header_err, &err) < 0)
        ex->err = err;
}
