/* SPDX-License-Identifier: GPL-3.0-or-later
 * The session: addresses, tokens, one replay after a 401. */
#include "cli/session.h"

#include "config.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "fetch/refusal.h"
#include "fetch/token.h"

#include <stdlib.h>
#include <string.h>

#define URL_MAX           4096
#define WHOLE_TIMEOUT_S   (24 * 3600u) /* a big download over a slow line */
#define STALL_TIMEOUT_S   90u
#define LOGIN_TIMEOUT_S   60u
#define LOGIN_REPLY_MAX   ((size_t)1 << 20)
#define HTTP_UNAUTHORIZED 401

struct session {
    struct fetch *client;
    char *server; /* without a slash at the end */
    char *client_id;
    char *secret;
    char *token; /* NULL: not logged in */
    bool used;
};

struct session *session_new(const char *server, const char *client_id, const char *secret,
                            struct err *err)
{
    struct session *s = calloc(1, sizeof(*s));

    if (!s) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    s->client = fetch_new("testflinger/" PACKAGE_VERSION, err);
    s->server = fetch_base_url(server);
    if (client_id) {
        s->client_id = strdup(client_id);
        s->secret = strdup(secret);
    }
    if (s->client && s->server && (!client_id || (s->client_id && s->secret)))
        return s;
    if (s->client)
        (void)err_set(err, ERR_INTERNAL, "out of memory");
    session_free(s);
    return NULL;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    fetch_free(s->client);
    free(s->server);
    free(s->client_id);
    if (s->secret)
        explicit_bzero(s->secret, strlen(s->secret));
    free(s->secret);
    free(s->token);
    free(s);
}

bool session_used(const struct session *s)
{
    return s->used;
}

static int log_in(struct session *s, struct err *err)
{
    struct fetch_reply reply;
    struct buf url = BUF_INIT(URL_MAX);
    struct fetch_request req = {.method = "POST",
                                .timeout_s = LOGIN_TIMEOUT_S,
                                .basic_user = s->client_id,
                                .basic_password = s->secret};
    int rc = -1;

    s->used = true;
    free(take_ptr(&s->token));
    fetch_reply_init(&reply, LOGIN_REPLY_MAX);
    if (buf_addf(&url, "%s/v1/oauth2/token", s->server) < 0) {
        (void)err_set(err, ERR_INVALID, "the server's address is too long");
    } else {
        req.url = buf_text(&url);
        rc = fetch_run(s->client, &req, &reply, err);
        if (rc == 0 && reply.status != 200)
            rc = fetch_refusal(&reply, err);
        if (rc == 0)
            rc = fetch_token_take(&reply, &s->token, err);
    }
    if (rc < 0)
        (void)err_prefix(err, "could not log in as \"%s\" at %s", s->client_id, s->server);
    fetch_reply_done(&reply);
    buf_done(&url);
    return rc;
}

/* Sends the request with the token there is. */
static int exchange(struct session *s, const char *path, struct fetch_request *req,
                    struct fetch_reply *reply, struct err *err)
{
    struct buf url = BUF_INIT(URL_MAX);
    int rc;

    if (buf_addf(&url, "%s%s", s->server, path) < 0)
        return err_set(err, ERR_INVALID, "the server's address is too long");
    req->url = buf_text(&url);
    req->bearer = s->token;
    req->timeout_s = WHOLE_TIMEOUT_S;
    req->stall_s = STALL_TIMEOUT_S;
    s->used = true;
    buf_clear(&reply->body);
    buf_clear(&reply->headers);
    rc = fetch_run(s->client, req, reply, err);
    req->url = NULL;
    buf_done(&url);
    return rc;
}

int session_request(struct session *s, const char *path, struct fetch_request *req,
                    struct fetch_reply *reply, struct err *err)
{
    if (s->client_id && !s->token && log_in(s, err) < 0)
        return -1;
    if (exchange(s, path, req, reply, err) < 0)
        return -1;
    /* a token lives for minutes, following a job may take days */
    if (reply->status == HTTP_UNAUTHORIZED && s->client_id) {
        if (log_in(s, err) < 0 || exchange(s, path, req, reply, err) < 0)
            return -1;
    }
    if (reply->status < 200 || reply->status > 299)
        return fetch_refusal(reply, err);
    return 0;
}

int session_get(struct session *s, const char *path, struct fetch_reply *reply, struct err *err)
{
    struct fetch_request req = {.method = "GET"};

    return session_request(s, path, &req, reply, err);
}

int session_stream(struct session *s, const char *path, fetch_sink_fn *sink, void *arg,
                   struct fetch_reply *reply, struct err *err)
{
    struct fetch_request req = {.method = "GET", .sink = sink, .sink_arg = arg};

    return session_request(s, path, &req, reply, err);
}

int session_post(struct session *s, const char *path, const char *body, size_t len,
                 struct fetch_reply *reply, struct err *err)
{
    struct fetch_request req = {.method = "POST", .body = body, .body_len = len};

    return session_request(s, path, &req, reply, err);
}
