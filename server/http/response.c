/* SPDX-License-Identifier: GPL-3.0-or-later
 * Filling a response, and the one place that turns an error into an answer. */
#include "server/http/response.h"

#include "common/json.h"
#include "server/http/answer.h"
#include "server/http/cookie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text_plain[] = "text/plain; charset=utf-8";
static const char application_json[] = "application/json";

/* Tells clients when to come again; short, since a restart or a full queue passes quickly. */
#define RETRY_AFTER_S "2"

static int fill(struct response *res, const char *type, const char *text, size_t len)
{
    res->content_type = type;
    buf_clear(&res->body);
    return buf_add(&res->body, text, len);
}

int response_ok(struct response *res)
{
    return response_text(res, "OK");
}

int response_text(struct response *res, const char *text)
{
    return fill(res, text_plain, text, strlen(text));
}

int response_json(struct response *res, const char *text, size_t len)
{
    return fill(res, application_json, text, len);
}

void response_wait(struct response *res, int64_t seconds)
{
    res->wait.seconds = seconds;
}

int response_wait_for(struct response *res, enum wake_kind kind, const char *name, bool in_turn,
                      struct err *err)
{
    struct response_wait *wait = &res->wait;
    size_t size = wait->size ? 2 * wait->size : 4;
    struct park_key *keys;

    if (wait->count == wait->size) {
        keys = reallocarray(wait->keys, size, sizeof(*keys));
        if (!keys)
            return err_set(err, ERR_INTERNAL, "out of memory");
        wait->keys = keys;
        wait->size = size;
    }
    wait->keys[wait->count++] = (struct park_key){wake_key(kind, name), in_turn};
    return 0;
}

int response_none(struct response *res)
{
    res->status = 204;
    res->content_type = NULL;
    buf_clear(&res->body);
    return 0;
}

int response_header(struct response *res, const char *name, const char *value, struct err *err)
{
    size_t len = strlen(value);
    char *copy;

    if (res->header_count == RESPONSE_HEADERS_MAX)
        return err_set(err, ERR_INTERNAL, "too many headers in an answer");
    if (len >= RESPONSE_VALUE_MAX)
        return err_set(err, ERR_INVALID, "value of header %s is too long", name);
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if (*p < ' ' || *p == 0x7f)
            return err_set(err, ERR_INVALID, "value of header %s has a control character", name);
    copy = strdup(value);
    if (!copy)
        return err_set(err, ERR_INTERNAL, "out of memory");
    res->headers[res->header_count].name = name;
    res->headers[res->header_count].value = copy;
    res->header_count++;
    return 0;
}

void response_note(struct response *res, enum audit_what what, const char *about)
{
    if (res->note_count == RESPONSE_NOTES_MAX)
        return;
    res->notes[res->note_count].what = what;
    (void)snprintf(res->notes[res->note_count].about, RESPONSE_ABOUT_SIZE, "%s", about);
    res->note_count++;
}

int response_etag(struct response *res, enum etag_kind kind, const char *version, struct err *err)
{
    char value[128];
    int len = snprintf(value, sizeof(value), "%s\"%s\"", kind == ETAG_WEAK ? "W/" : "", version);

    if (len < 0 || (size_t)len >= sizeof(value))
        return err_set(err, ERR_INTERNAL, "a version is too long for a header");
    return response_header(res, "ETag", value, err);
}

int response_unchanged(struct response *res)
{
    res->status = 304;
    res->content_type = NULL;
    buf_clear(&res->body);
    return 0;
}

int response_cookie(struct response *res, const char *name, const char *value, struct err *err)
{
    struct buf text = BUF_INIT(RESPONSE_VALUE_MAX - 1);
    int rc = -1;

    if (buf_addf(&text, "%s=", name) < 0 || cookie_add_value(&text, value) < 0 ||
        buf_adds(&text, "; HttpOnly; Path=/; SameSite=Strict") < 0)
        (void)err_set(err, ERR_INVALID, "value of a cookie is too long");
    else
        rc = response_header(res, "Set-Cookie", buf_text(&text), err);
    buf_done(&text);
    return rc;
}

void response_init(struct response *res)
{
    *res = (struct response){.status = 200};
    buf_init(&res->body, RESPONSE_BODY_MAX);
    buf_init(&res->error_detail, RESPONSE_BODY_MAX);
}

void response_done(struct response *res)
{
    if (res->stream.free)
        res->stream.free(res->stream.state);
    res->stream = (struct stream){0};
    for (size_t i = 0; i < res->header_count; i++)
        free(res->headers[i].value);
    res->header_count = 0;
    free(res->wait.keys);
    res->wait = (struct response_wait){0};
    buf_done(&res->body);
    buf_done(&res->error_detail);
}

/* What went wrong inside is for the log alone: it may name hosts, files or values. */
static const char *text_for_client(const struct err *err)
{
    if (err->code == ERR_INTERNAL || err->code == ERR_UNAVAILABLE || !err->text[0])
        return err_default_text(err->code);
    return err->text;
}

void response_error(struct response *res, const struct err *err)
{
    const char *text = text_for_client(err);
    struct buf detail = res->error_detail;

    buf_init(&res->error_detail, RESPONSE_BODY_MAX);
    response_done(res);
    buf_init(&res->body, RESPONSE_BODY_MAX);
    res->header_count = 0;
    res->status = err_http_status(err->code);
    res->content_type = application_json;
    (void)buf_adds(&res->body, "{\"message\":");
    (void)jsn_add_string(&res->body, text, strlen(text));
    (void)buf_addf(&res->body, ",\"detail\":%s}\n", detail.len ? buf_text(&detail) : "{}");
    buf_done(&detail);
    if (res->status == 503 || res->status == 429)
        (void)response_header(res, "Retry-After", RETRY_AFTER_S, NULL);
}
