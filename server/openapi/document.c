/* SPDX-License-Identifier: GPL-3.0-or-later
 * The document: paths out of the route table, components out of schemas and errors. */
#include <config.h>

#include "common/json.h"
#include "common/names.h"
#include "server/openapi/openapi.h"
#include "server/routes.h"

#include <string.h>

#define REF_RESPONSE "{\"$ref\":\"#/components/responses/%d\"}"

/* What is no error; .body: with the bytes asked for. */
static const struct {
    int status;
    const char *text;
    bool body;
} good[] = {
    {200, "done", true},
    {204, "there is none", false},
    {206, "the part asked for", true},
    {304, "the same as before", false},
};

static const struct {
    int status;
    const char *text;
} errors[] = {
#define ERROR(name, status, sqlstate, text) {status, text},
#include "common/errors.def"
#undef ERROR
};

static void add_text(struct buf *b, const char *text)
{
    (void)jsn_add_string(b, text, strlen(text));
}

static const struct operation *find_operation(const struct route *route)
{
    for (size_t i = 0; i < openapi_operation_count; i++)
        if (strcmp(openapi_operations[i].method, route->method) == 0 &&
            strcmp(openapi_operations[i].path, route->path) == 0)
            return &openapi_operations[i];
    return NULL;
}

/* The roles, and whether a caller without a token has one of them. */
static void add_security(struct buf *b, const struct route *route)
{
    const char *comma = "";

    if (route->roles == MAY_PUBLIC) { /* one of those has a way of its own to tell who asks */
        (void)buf_adds(b, ",\"security\":[");
        (void)buf_adds(b, strcmp(route->path, "/v1/oauth2/token") ? "]" : "{\"client\":[]}]");
        return;
    }
    (void)buf_addf(b, ",\"security\":[%s{\"token\":[]}],\"x-roles\":[",
                   route->roles & MAY(CONTRIBUTOR) ? "{}," : "");
    for (int r = ROLE_COUNT - 1; r > ROLE_NONE; r--)
        if (route->roles & (1u << r)) {
            (void)buf_addf(b, "%s\"%s\"", comma, role_name((enum role)r));
            comma = ",";
        }
    (void)buf_addc(b, ']');
}

static const char *add_path_parameters(struct buf *b, const char *path)
{
    const char *comma = "";
    bool job = strncmp(path, "/v1/job/", 8) == 0 || strncmp(path, "/v1/result/", 11) == 0;

    for (const char *at = path; (at = strchr(at, '{')); at++) {
        size_t len = strcspn(at + 1, ".}");
        bool id = job && len == 2 && strncmp(at + 1, "id", 2) == 0;

        (void)buf_addf(b,
                       "%s{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,\"schema\":{"
                       "\"type\":\"string\"%s}}",
                       comma, (int)len, at + 1, id ? ",\"format\":\"uuid\"" : "");
        comma = ",";
    }
    return comma;
}

static void add_parameters(struct buf *b, const struct route *route, const char *names)
{
    const char *comma;

    (void)buf_adds(b, ",\"parameters\":[");
    comma = add_path_parameters(b, route->path);
    for (; *names; names += strspn(names, " ")) {
        bool header = *names == '@';
        size_t len = strcspn(names += header, " *!");
        bool many = names[len] == '*', needed = names[len + many] == '!';

        (void)buf_addf(b, "%s{\"name\":\"%.*s\",\"in\":\"%s\",\"required\":%s,\"schema\":%s}",
                       comma, (int)len, names, header ? "header" : "query",
                       needed ? "true" : "false",
                       many ? "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
                            : "{\"type\":\"string\"}");
        names += strcspn(names, " ");
        comma = ",";
    }
    (void)buf_addc(b, ']');
}

static void add_body(struct buf *b, const struct route *route, const char *id)
{
    if (route->body == BODY_JSON && route->schema)
        (void)buf_addf(b,
                       ",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
                       "\"#/components/schemas/%s\"}}}}",
                       id);
    if (route->body == BODY_UPLOAD)
        (void)buf_adds(b,
                       ",\"requestBody\":{\"required\":true,\"content\":{\"multipart/form-data\":"
                       "{\"schema\":{\"type\":\"object\",\"required\":[\"file\"],\"properties\":"
                       "{\"file\":{\"type\":\"string\",\"format\":\"binary\"}}}}}}");
}

static void add_content(struct buf *b, const struct operation *op)
{
    (void)buf_addf(b, ",\"content\":{\"%s\":{\"schema\":", op->media);
    if (op->list)
        (void)buf_adds(b, "{\"type\":\"array\",\"items\":");
    if (op->answer)
        openapi_add_schema(b, op->answer);
    else
        (void)buf_addf(b, "{\"type\":\"%s\"}",
                       strcmp(op->media, "application/json") == 0 ? "object" : "string");
    (void)buf_adds(b, op->list ? "}}}" : "}}");
}

/* Is the status, three digits, among those of a text? */
static bool is_among(const char *statuses, int status)
{
    const char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                           (char)('0' + status % 10), '\0'};

    return strstr(statuses, digits) != NULL;
}

/* What a route of this kind may answer, whatever it is for. */
static bool is_usual(const struct route *route, int status)
{
    bool job = strstr(route->path, "{id}") != NULL;

    switch (status) {
    case 401:
    case 403:
        return route->roles != MAY_PUBLIC;
    case 400:
        return route->body != BODY_NONE || job;
    case 408:
    case 413:
        return route->body != BODY_NONE;
    case 415:
    case 422:
        return route->body == BODY_JSON;
    case 507:
        return route->body == BODY_UPLOAD;
    default:
        return status == 200 || status == 500 || status == 503;
    }
}

static void add_responses(struct buf *b, const struct route *route, const struct operation *op)
{
    const char *comma = "";

    (void)buf_adds(b, ",\"responses\":{");
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!is_usual(route, good[i].status) && !is_among(op->statuses, good[i].status))
            continue;
        (void)buf_addf(b, "%s\"%d\":{\"description\":\"%s\"", comma, good[i].status, good[i].text);
        if (good[i].body)
            add_content(b, op);
        (void)buf_addc(b, '}');
        comma = ",";
    }
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (is_usual(route, errors[i].status) || is_among(op->statuses, errors[i].status))
            (void)buf_addf(b, ",\"%d\":" REF_RESPONSE, errors[i].status, errors[i].status);
    (void)buf_addc(b, '}');
}

static void add_operation(struct buf *b, const struct route *route, const struct operation *op)
{
    for (const char *p = route->method; *p; p++)
        (void)buf_addf(b, "%s%c", p == route->method ? "\"" : "", *p + ('a' - 'A'));
    (void)buf_addf(b, "\":{\"operationId\":\"%s\",\"summary\":", op->id);
    add_text(b, op->summary);
    add_security(b, route);
    add_parameters(b, route, op->parameters);
    add_body(b, route, op->id);
    add_responses(b, route, op);
    (void)buf_addc(b, '}');
}

/* "/v1/{path...}" -> "/v1/{path}" */
static void add_path(struct buf *b, const char *path)
{
    const char *dots = strstr(path, "...");
    size_t len = dots ? (size_t)(dots - path) : strlen(path);

    (void)buf_addf(b, "\"%.*s%s\":{", (int)len, path, dots ? dots + 3 : "");
}

/* Rows of one path stand together in the table.  A row without its operation is left out; the
 * style test tells. */
static void add_paths(struct buf *b)
{
    const char *open = NULL;

    for (size_t i = 0; i < route_count; i++) {
        const struct operation *op = find_operation(&routes[i]);

        if (!op)
            continue;
        if (open && strcmp(open, routes[i].path) == 0) {
            (void)buf_addc(b, ',');
        } else {
            (void)buf_adds(b, open ? "}," : "");
            add_path(b, routes[i].path);
            open = routes[i].path;
        }
        add_operation(b, &routes[i], op);
    }
    (void)buf_adds(b, open ? "}" : "");
}

static void add_components(struct buf *b)
{
    (void)buf_adds(b,
                   "\"securitySchemes\":{"
                   "\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"},"
                   "\"client\":{\"type\":\"http\",\"scheme\":\"basic\"}},\"schemas\":{"
                   "\"error\":{\"type\":\"object\",\"required\":[\"message\"],\"properties\":{"
                   "\"message\":{\"type\":\"string\"},\"detail\":{\"type\":\"object\"}}}");
    for (size_t i = 0; i < route_count; i++) {
        const struct operation *op = find_operation(&routes[i]);

        if (!op || !routes[i].schema)
            continue;
        (void)buf_addf(b, ",\"%s\":", op->id);
        openapi_add_schema(b, routes[i].schema);
    }
    (void)buf_adds(b, "},\"responses\":{");
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        (void)buf_addf(b, "%s\"%d\":{\"description\":", i ? "," : "", errors[i].status);
        add_text(b, errors[i].text);
        (void)buf_adds(b, ",\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
                          "\"#/components/schemas/error\"}}}}");
    }
    (void)buf_addc(b, '}');
}

int openapi_write(struct buf *ret_text, struct err *err)
{
    (void)buf_adds(ret_text,
                   "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Testflinger\",\"version\":"
                   "\"" PACKAGE_VERSION "\",\"license\":{\"name\":\"GPL-3.0-or-later\","
                   "\"identifier\":\"GPL-3.0-or-later\"}},\"paths\":{");
    add_paths(ret_text);
    (void)buf_adds(ret_text, "},\"components\":{");
    add_components(ret_text);
    (void)buf_adds(ret_text, "}}\n");
    return buf_failed(ret_text)
               ? err_set(err, ERR_INTERNAL, "the description of the interface does not fit")
               : 0;
}
