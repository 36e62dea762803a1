/* SPDX-License-Identifier: GPL-3.0-or-later
 * Turns the body of a refusal into text: {"message", "detail": {"json": {field: [why]}}}, or
 * whatever else a server or a proxy in between may have sent. */
#include "fetch/refusal.h"

#include "common/buf.h"
#include "common/json.h"
#include "fetch/fetch.h"

#include <string.h>

#define FIELD_DEPTH_MAX 20
#define PLAIN_TEXT_MAX  200

static enum err_code code_of_status(int status)
{
    for (int code = 1; code < ERR_COUNT; code++)
        if (err_http_status((enum err_code)code) == status)
            return (enum err_code)code;
    return status >= 500 ? ERR_UPSTREAM : ERR_BAD_REQUEST;
}

/* Adds "; test_data.test_cmds: Not a valid string." for every reason below node. */
static void add_fields(struct buf *out, struct json_object *node, const char *path, size_t depth)
{
    if (depth > FIELD_DEPTH_MAX)
        return;
    if (json_object_is_type(node, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(node); i++)
            add_fields(out, json_object_array_get_idx(node, i), path, depth + 1);
        return;
    }
    if (!json_object_is_type(node, json_type_object)) {
        (void)buf_addf(out, "; %s: %s", path, json_object_get_string(node));
        return;
    }
    json_object_object_foreach(node, key, value)
    {
        struct buf below = BUF_INIT(ERR_TEXT_SIZE);

        (void)buf_addf(&below, "%s%s%s", path, *path ? "." : "", key);
        add_fields(out, value, buf_text(&below), depth + 1);
        buf_done(&below);
    }
}

static void add_json(struct buf *out, struct json_object *json)
{
    struct json_object *detail = jsn_get(json, "detail");

    (void)buf_adds(out, jsn_text(json, "message"));
    if (!json_object_is_type(detail, json_type_object))
        return;
    json_object_object_foreach(detail, where, fields)
    {
        (void)where;
        add_fields(out, fields, "", 0);
    }
}

/* The first line of a text that is no JSON; a page of HTML says nothing to people here. */
static void add_plain(struct buf *out, const char *text)
{
    size_t len = strcspn(text, "\r\n");

    if (text[0] == '<')
        return;
    if (len > PLAIN_TEXT_MAX)
        len = PLAIN_TEXT_MAX;
    (void)buf_add(out, text, len);
}

/* What a server says goes to a terminal, which obeys control characters. */
static void make_harmless(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

int fetch_refusal(const struct fetch_reply *reply, struct err *err)
{
    struct buf said = BUF_INIT(ERR_TEXT_SIZE);
    struct json_object *json = NULL;
    enum err_code code = code_of_status(reply->status);

    if (jsn_parse(buf_text(&reply->body), reply->body.len, &json, NULL) == 0 &&
        jsn_text(json, "message"))
        add_json(&said, json);
    else
        add_plain(&said, buf_text(&reply->body));
    (void)json_object_put(json);
    if (said.data)
        make_harmless(said.data);
    (void)err_set(err, code, "server said %d (%s)", reply->status,
                  said.len > 0 ? buf_text(&said) : err_default_text(code));
    buf_done(&said);
    return -1;
}
