/* SPDX-License-Identifier: GPL-3.0-or-later
 * From method and path to a row of the route table.
 *
 * Paths are compared part by part.  If several match, the one that spells out more wins from the
 * left ("/v1/job/search" before "/v1/job/{job_id}"); methods are looked for under that path only.
 * One slash at the end is ignored, an empty part matches nothing. */
#ifndef SERVER_HTTP_ROUTER_H
#define SERVER_HTTP_ROUTER_H

#include "common/err.h"
#include "server/http/request.h"
#include "server/routes.h"

#include <stdbool.h>
#include <stddef.h>

#define ROUTER_PARTS_MAX 12
#define ROUTER_ALLOW_MAX 64
#define ROUTER_NAME_MAX  32

struct route_param {
    char name[ROUTER_NAME_MAX];
    const char *value;
};

struct route_match {
    const struct route *route; /* NULL for OPTIONS */
    bool head;                 /* the route's GET row serves HEAD */
    bool options;              /* answer 200 with Allow and nothing else */
    char allow[ROUTER_ALLOW_MAX];
    struct route_param params[REQUEST_PARAMS_MAX];
    size_t param_count;
};

/* The table, and how long it is: tests bring their own. */
struct router {
    const struct route *routes;
    size_t count;
};

/* path (decoded) is cut into parts in place, and the values of parameters point into it.
 * ERR_NOT_FOUND: no such path; ERR_METHOD: no such method there, with *ret_match.allow filled. */
int router_find(const struct router *router, const char *method, char *path,
                struct route_match *ret_match, struct err *err);

#endif
