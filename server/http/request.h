/* SPDX-License-Identifier: GPL-3.0-or-later
 * One request as handlers see it: parsed, limited, authenticated, and const.  It is owned by the
 * loop thread before and after the handler, and by one worker in between: no locks. */
#ifndef SERVER_HTTP_REQUEST_H
#define SERVER_HTTP_REQUEST_H

#include "common/buf.h"
#include "common/err.h"
#include "common/names.h"
#include "common/parse.h"

#include <json-c/json.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_ID_SIZE    65
#define REQUEST_PARAMS_MAX 4
#define REQUEST_QUERY_MAX  1000
#define WAIT_MEMO_SIZE     64
#define WAIT_MAX_S         300
#define ACCEPT_WAIT        "300" /* the same, to agents: header Accept-Wait */
#define NAME_MAX_BYTES     1000  /* queues, agents, clients: a btree entry ends at 2,704 bytes */

struct route;
struct grant;

/* Who is asking (docs/protocol.md, "Roles").  Anonymous: role contributor, no client id. */
struct caller {
    enum role role;
    const char *client_id;           /* NULL: anonymous */
    bool authenticated;              /* a valid token came with the request */
    struct json_object *permissions; /* the token's, or NULL; others read them too */
    struct grant *grant;             /* keeps what is pointed to (server/http/auth) */
};

struct pair {
    const char *name;
    const char *value; /* decoded, UTF-8, without U+0000 */
};

struct request {
    char id[REQUEST_ID_SIZE]; /* X-Request-Id, the client's or ours */
    const char *method;
    const char *path;
    const struct route *route;
    struct caller caller;
    struct pair params[REQUEST_PARAMS_MAX]; /* {name} parts of the route's path */
    size_t param_count;
    const struct pair *query; /* in the order given */
    size_t query_count;
    const struct pair *headers; /* names in lower case */
    size_t header_count;
    const char *agent_name; /* cookie agent_name, unquoted; NULL if there is none */
    const char *peer;       /* address of the client */
    /* A request that may wait (response_wait()) is asked again and again; it must be answered when
     * this is set. */
    bool wait_over;
    char wait_memo[WAIT_MEMO_SIZE]; /* what the handler wrote down when it waited; "" at first */
    const atomic_bool *gone;        /* the client has left; NULL: cannot be told */
    struct buf body;
    struct json_object *json; /* the body, checked and coerced by the route's schema; else NULL */
};

/* The value of a path part, never NULL: the route has it. */
const char *request_param(const struct request *req, const char *name);
/* A path part as canonical UUID, else ERR_BAD_REQUEST. */
int request_uuid(const struct request *req, const char *name, char ret_uuid[static UUID_TEXT_SIZE],
                 struct err *err);
/* The first value of a query parameter, NULL if it was not given. */
const char *request_query(const struct request *req, const char *name);
/* The value of a header given in lower case, NULL if it was not sent. */
const char *request_header(const struct request *req, const char *name);

/* Whether the client has left already. */
bool request_gone(const struct request *req);

/* ?wait=SECONDS, from 1 to 300; 0 if it was not given. */
int request_wait(const struct request *req, int64_t *ret_seconds, struct err *err);

/* If-None-Match names this version (digits and letters), in quotes or not, weak or not. */
bool request_has_version(const struct request *req, const char *version);

/* What part of a body of size bytes the Range header of a GET asks for. */
enum range_kind {
    RANGE_WHOLE, /* no range, or one that does not count: several parts, or of another version */
    RANGE_PART,  /* *ret_range is set; it lies inside the body */
    RANGE_NONE,  /* nothing of it is there: 416 */
};
struct byte_range {
    int64_t first, last; /* both are part of it */
};
enum range_kind request_range(const struct request *req, const char *version, int64_t size,
                              struct byte_range *ret_range);

#endif
