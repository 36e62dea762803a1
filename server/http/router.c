/* SPDX-License-Identifier: GPL-3.0-or-later
 * Matching: the path is cut into parts once, then every row is compared, mostly up to its second
 * part. */
#include "server/http/router.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct parts {
    size_t count;
    char *start[ROUTER_PARTS_MAX];
    size_t len[ROUTER_PARTS_MAX];
    char *end; /* behind the last byte of the path, trailing slash included */
};

/* -1 if there is an empty part; too many parts match nothing either, but a "{path...}". */
static int cut(char *path, struct parts *ret_parts)
{
    char *p = path;

    *ret_parts = (struct parts){.end = path + strlen(path)};
    if (*p != '/')
        return -1;
    while (p[0] == '/' && p[1]) {
        size_t len = strcspn(p + 1, "/");

        if (ret_parts->count < ROUTER_PARTS_MAX) {
            ret_parts->start[ret_parts->count] = p + 1;
            ret_parts->len[ret_parts->count] = len;
        }
        ret_parts->count++;
        p += 1 + len;
    }
    return 0;
}

enum part_kind { PART_END, PART_LITERAL, PART_PARAM, PART_REST };

struct pattern_part {
    enum part_kind kind;
    const char *text; /* of a parameter: its name */
    size_t len;
};

/* Reads the next part of a route's path and moves *pattern behind it. */
static struct pattern_part next_part(const char **pattern)
{
    const char *p = *pattern;
    struct pattern_part part = {PART_LITERAL, NULL, 0};
    size_t len;

    if (*p == '/')
        p++;
    len = strcspn(p, "/");
    *pattern = p + len;
    if (len == 0)
        return (struct pattern_part){PART_END, NULL, 0};
    part.text = p;
    part.len = len;
    if (*p != '{')
        return part;
    part.kind = PART_PARAM;
    part.text++;
    part.len -= 2;
    if (part.len > 3 && strncmp(part.text + part.len - 3, "...", 3) == 0) {
        part.kind = PART_REST;
        part.len -= 3;
    }
    return part;
}

/* Whether the next part of a pattern is literally this one: what most rows end at, so they need not
 * be cut.  Moves *pattern behind it. */
static bool is_literally(const char **pattern, const char *text, size_t len)
{
    const char *p = *pattern;

    if (len == 0 || p[0] != '/' || p[1] == '{' || strncmp(p + 1, text, len) != 0 ||
        (p[len + 1] && p[len + 1] != '/'))
        return false;
    *pattern = p + len + 1;
    return true;
}

/* How well a pattern fits: 0 not at all; else a bit for each part, literal ones set, the first the
 * highest, so that the larger number is the better match. */
static unsigned long fit(const char *pattern, const struct parts *parts)
{
    unsigned long score = 1;
    size_t i = 0;

    for (;; i++) {
        struct pattern_part part;

        if (i < parts->count && i < ROUTER_PARTS_MAX &&
            is_literally(&pattern, parts->start[i], parts->len[i])) {
            score = score << 2 | 2;
            continue;
        }
        part = next_part(&pattern);
        if (part.kind == PART_END)
            return i == parts->count ? score << (2 * (ROUTER_PARTS_MAX - i)) : 0;
        if (i >= parts->count || i >= ROUTER_PARTS_MAX)
            return 0;
        if (part.kind == PART_REST) /* whatever follows, empty parts too: the handler judges */
            return score << (2 * (ROUTER_PARTS_MAX - i));
        if (parts->len[i] == 0 || part.kind == PART_LITERAL)
            return 0;
        score = score << 2 | 1;
    }
}

static const char *best_path(const struct router *router, const struct parts *parts)
{
    const char *best = NULL;
    unsigned long best_fit = 0;

    for (size_t i = 0; i < router->count; i++) {
        unsigned long score = fit(router->routes[i].path, parts);

        if (score > best_fit) {
            best_fit = score;
            best = router->routes[i].path;
        }
    }
    return best;
}

static void allow(struct route_match *match, const char *method)
{
    size_t len = strlen(match->allow);

    (void)snprintf(match->allow + len, sizeof(match->allow) - len, "%s%s", len ? ", " : "", method);
}

/* Looks at the rows of one path; fills allow, and route if the method is there. */
static void look_up(const struct router *router, const char *path, const char *method,
                    struct route_match *match)
{
    match->options = strcmp(method, "OPTIONS") == 0;
    for (size_t i = 0; i < router->count; i++) {
        const struct route *route = &router->routes[i];
        bool get = strcmp(route->method, "GET") == 0;

        if (strcmp(route->path, path) != 0)
            continue;
        if (get)
            allow(match, "HEAD");
        allow(match, route->method);
        if (strcmp(route->method, method) == 0 || (get && strcmp(method, "HEAD") == 0)) {
            match->route = route;
            match->head = get && strcmp(method, "HEAD") == 0;
        }
    }
    allow(match, "OPTIONS");
}

/* Ends the parts with NULs, which overwrites their slashes, and names those that are parameters.
 * Names are taken from the table's text up to the brace, hence the copy into name. */
static void bind(const char *pattern, const struct parts *parts, struct route_match *match)
{
    for (size_t i = 0; i < ROUTER_PARTS_MAX; i++) {
        struct pattern_part part = next_part(&pattern);
        struct route_param *param;

        if (part.kind == PART_END)
            return;
        if (part.kind != PART_REST)
            parts->start[i][parts->len[i]] = '\0';
        if (part.kind == PART_LITERAL)
            continue;
        assert(match->param_count < REQUEST_PARAMS_MAX && part.len < ROUTER_NAME_MAX);
        param = &match->params[match->param_count++];
        memcpy(param->name, part.text, part.len);
        param->name[part.len] = '\0';
        param->value = parts->start[i];
    }
}

int router_find(const struct router *router, const char *method, char *path,
                struct route_match *ret_match, struct err *err)
{
    struct parts parts;
    const char *best;

    *ret_match = (struct route_match){0};
    if (cut(path, &parts) < 0 || !(best = best_path(router, &parts)))
        return err_set(err, ERR_NOT_FOUND, "there is nothing here");
    look_up(router, best, method, ret_match);
    if (!ret_match->route && !ret_match->options)
        return err_set(err, ERR_METHOD, "this can be asked for with %s only", ret_match->allow);
    if (ret_match->route)
        bind(best, &parts, ret_match);
    return 0;
}
