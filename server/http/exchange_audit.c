/* SPDX-License-Identifier: GPL-3.0-or-later
 * What of a request the security log tells: what its handler noted, refusals, and whatever else
 * those in charge changed. */
#include "server/audit.h"
#include "server/config.h"
#include "server/http/exchange.h"

#include <string.h>

/* The address the proxy in front of us saw: the last one of X-Forwarded-For, since what stands
 * before it came from the client.  False if it is none, or nobody is trusted to tell. */
static bool find_origin(const struct exchange *ex, char ret_address[static INET6_ADDRSTRLEN])
{
    const struct config *config = ex->loop->options.app.config;
    const char *header = headers_get(&ex->headers, "x-forwarded-for");
    const char *last = header ? strrchr(header, ',') : NULL;
    size_t len;

    if (!header || !config || !config->trust_forwarded_for)
        return false;
    last = last ? last + 1 : header;
    last += strspn(last, " \t");
    len = strspn(last, "0123456789abcdefABCDEF.:");
    if (len == 0 || len >= INET6_ADDRSTRLEN || last[len + strspn(last + len, " \t")])
        return false;
    memcpy(ret_address, last, len);
    ret_address[len] = '\0';
    return true;
}

static bool changes_something(const struct exchange *ex)
{
    return ex->match.route && strcmp(ex->match.route->method, "GET") != 0;
}

static bool is_in_charge(const struct caller *caller)
{
    return caller->authenticated && (caller->role == ROLE_ADMIN || caller->role == ROLE_MANAGER);
}

static bool is_denied(const struct exchange *ex)
{
    return ex->err.code == ERR_UNAUTHORIZED || ex->err.code == ERR_FORBIDDEN;
}

void exchange_audit(const struct exchange *ex)
{
    char from[INET6_ADDRSTRLEN];
    struct audit_entry entry = {
        .client = ex->req.caller.client_id,
        .role = role_name(ex->req.caller.role),
        .peer = ex->conn->peer,
        .from = find_origin(ex, from) ? from : NULL,
        .request_id = ex->req.id,
        .method = ex->req.method,
        .path = ex->req.path,
        .reason = ex->err.code ? ex->err.text : NULL,
        .status = ex->status,
    };
    struct audit *audit = ex->loop->options.app.audit;
    const struct response *res = &ex->res;

    for (size_t i = 0; i < res->note_count; i++) {
        entry.what = res->notes[i].what;
        entry.about = res->notes[i].about;
        audit_write(audit, &entry);
    }
    if (res->note_count > 0)
        return;
    entry.about = NULL;
    entry.what = AUDIT_ACCESS_DENIED;
    if (is_denied(ex))
        audit_write(audit, &entry);
    entry.what = AUDIT_ADMIN_ACTION;
    if (!is_denied(ex) && changes_something(ex) && is_in_charge(&ex->req.caller))
        audit_write(audit, &entry);
}
