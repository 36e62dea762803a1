/* SPDX-License-Identifier: GPL-3.0-or-later
 * Targets of requests: whatever comes, what is handed on is text, inside its memory, and a path
 * that counts as valid finds its route, or none, with parameters that are text. */
#include "server/http/router.h"
#include "server/http/target.h"
#include "server/routes.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_query(const struct target *target)
{
    assert(target->query_count <= REQUEST_QUERY_MAX);
    for (size_t i = 0; i < target->query_count; i++) {
        const struct pair *pair = &target->query[i];

        assert(parse_utf8_valid(pair->name, strlen(pair->name)));
        assert(parse_utf8_valid(pair->value, strlen(pair->value)));
    }
}

static void find_route(char *path, const char *method)
{
    struct router router = {routes, route_count};
    struct route_match match;

    if (router_find(&router, method, path, &match, NULL) < 0)
        return;
    assert(match.route && strcmp(match.route->method, method) == 0);
    assert(match.param_count <= REQUEST_PARAMS_MAX);
    for (size_t i = 0; i < match.param_count; i++)
        assert(parse_utf8_valid(match.params[i].value, strlen(match.params[i].value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    char *raw = strndup((const char *)data, size);
    struct target target = {0};
    struct err err = ERR_INIT;

    if (!raw)
        return 0;
    if (target_parse(raw, &target, &err) == 0)
        check_query(&target);
    else
        assert(err.code == ERR_BAD_REQUEST);
    assert(target.path_len == 0 || target.path);
    if (target.path_valid)
        find_route(target.parts, methods[size % 4]);
    target_done(&target);
    free(raw);
    return 0;
}
