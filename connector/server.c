/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests that a signal can end: the exchange that waits not and the stop in one poll. */
#include "connector/server.h"

#include <config.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "connector/config.h"
#include "connector/stop.h"
#include "fetch/multi.h"
#include "fetch/refusal.h"
#include "fetch/token.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX         4096
#define TIMEOUT_S       60
#define STALL_S         20
#define UNDO_TIMEOUT_S  5 /* an agent that cancels does not wait long */
#define TOKEN_ASK_MAX   (64 * 1024)
#define TOKEN_REPLY_MAX (1024 * 1024)
#define PAUSE_MS        1000
#define PAUSE_MAX_MS    (600 * 1000)
#define DOUBLINGS_MAX   5
#define UNAUTHORIZED    401
#define TOO_MANY        429

struct server {
    struct fetch *client;
    struct fetch_multi *multi;
    struct stop *stop;
    char *url;
    const char *client_id; /* of the configuration; NULL: none */
    char *secret;
    char *refresh_token;
    char *token; /* NULL: not logged in */
    int64_t pause_ms;
    unsigned timeout_s;
};

/* --- one exchange ---------------------------------------------------------------------- */

struct ending {
    bool done;
    bool failed;
    struct err err;
};

static void on_done(void *arg, struct fetch_reply *reply, const struct err *err)
{
    struct ending *ending = arg;

    (void)reply;
    ending->done = true;
    ending->failed = err != NULL;
    if (err)
        ending->err = *err;
}

/* 0 when a reply came, whatever its status. */
static int exchange(struct server *s, const struct fetch_request *req, struct fetch_reply *reply,
                    struct err *err)
{
    struct pollfd waits[] = {{.fd = fetch_multi_fd(s->multi), .events = POLLIN},
                             {.fd = s->stop ? s->stop->fd : -1, .events = POLLIN}};
    struct ending ending = {.done = false};
    struct fetch_exchange *under_way;

    buf_clear(&reply->body);
    buf_clear(&reply->headers);
    reply->status = 0;
    if (stop_asked(s->stop))
        return stop_error(s->stop, err);
    under_way = fetch_start(s->multi, req, reply, on_done, &ending, err);
    if (!under_way)
        return -1;
    while (!ending.done) {
        (void)poll(waits, 2, -1); /* the request has a limit */
        fetch_multi_run(s->multi);
        if (!ending.done && stop_asked(s->stop)) {
            fetch_cancel(under_way);
            return stop_error(s->stop, err);
        }
    }
    if (!ending.failed)
        return 0;
    *err = ending.err;
    return -1;
}

/* --- logging in ------------------------------------------------------------------------ */

static bool has_credentials(const struct server *s)
{
    return s->client_id || s->refresh_token;
}

static int take_token(struct server *s, const struct fetch_reply *reply, struct err *err)
{
    char *token;

    if (fetch_token_take(reply, &token, err) < 0)
        return -1;
    free(s->token);
    s->token = token;
    return 0;
}

static int log_in(struct server *s, struct err *err)
{
    AUTO(buf) struct buf url = BUF_INIT(URL_MAX);
    AUTO(buf) struct buf body = BUF_INIT(TOKEN_ASK_MAX);
    struct fetch_request req = {.method = "POST", .timeout_s = s->timeout_s};
    struct fetch_reply reply;
    int rc;

    if (s->client_id) {
        req.basic_user = s->client_id;
        req.basic_password = s->secret;
    } else if (fetch_token_ask(&body, s->refresh_token) < 0) {
        return err_set(err, ERR_INVALID, "the refresh token is too long");
    }
    (void)buf_addf(&url, "%s/v1/oauth2/%s", s->url, s->client_id ? "token" : "refresh");
    req.url = buf_text(&url);
    req.body = body.len > 0 ? buf_text(&body) : NULL;
    req.body_len = body.len;
    fetch_reply_init(&reply, TOKEN_REPLY_MAX);
    rc = exchange(s, &req, &reply, err);
    if (rc == 0 && reply.status != 200)
        rc = fetch_refusal(&reply, err);
    if (rc == 0)
        rc = take_token(s, &reply, err);
    fetch_reply_done(&reply);
    return rc < 0 ? err_prefix(err, "could not log in at %s", s->url) : 0;
}

/* --- requests -------------------------------------------------------------------------- */

static int send_with_token(struct server *s, struct fetch_request *req, struct fetch_reply *reply,
                           struct err *err)
{
    req->bearer = s->token;
    return exchange(s, req, reply, err);
}

static int try_once(struct server *s, struct fetch_request *req, struct fetch_reply *reply,
                    struct err *err)
{
    reply->status = 0;
    if ((has_credentials(s) && !s->token && log_in(s, err) < 0) ||
        send_with_token(s, req, reply, err) < 0)
        return -1;
    /* tokens live for minutes, waiting for devices takes hours */
    if (reply->status == UNAUTHORIZED && has_credentials(s) &&
        (log_in(s, err) < 0 || send_with_token(s, req, reply, err) < 0))
        return -1;
    if (reply->status >= 200 && reply->status <= 299)
        return 0;
    (void)fetch_refusal(reply, err);
    if (reply->status == TOO_MANY)
        err->code = ERR_UNAVAILABLE;
    return -1;
}

bool server_may_pass(const struct err *err)
{
    static const enum err_code codes[] = {ERR_TIMEOUT, ERR_INTERNAL, ERR_UPSTREAM, ERR_UNAVAILABLE,
                                          ERR_UPSTREAM_TIMEOUT};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (err->code == codes[i])
            return true;
    return false;
}

bool server_pause(const struct server *s, int try)
{
    return !stop_wait(s->stop, s->pause_ms << (try <= DOUBLINGS_MAX ? try - 1 : DOUBLINGS_MAX));
}

static int request(struct server *s, struct fetch_request *req, const char *path, int tries,
                   struct fetch_reply *reply, struct err *err)
{
    AUTO(buf) struct buf url = BUF_INIT(URL_MAX);

    if (buf_addf(&url, "%s%s", s->url, path) < 0)
        return err_set(err, ERR_INVALID, "the server's address is too long");
    req->url = buf_text(&url);
    req->timeout_s = s->timeout_s;
    req->stall_s = STALL_S;
    for (int try = 1;; try++) {
        struct err why = ERR_INIT;

        if (try_once(s, req, reply, &why) == 0)
            return 0;
        if (try >= tries || !server_may_pass(&why) || !server_pause(s, try)) {
            *err = why;
            return -1;
        }
    }
}

int server_get(struct server *server, const char *path, int tries, struct fetch_reply *reply,
               struct err *err)
{
    struct fetch_request req = {.method = "GET"};

    return request(server, &req, path, tries, reply, err);
}

int server_post(struct server *server, const char *path, const struct buf *body, int tries,
                struct fetch_reply *reply, struct err *err)
{
    struct fetch_request req = {.method = "POST", .body = buf_text(body), .body_len = body->len};

    return request(server, &req, path, tries, reply, err);
}

/* --- life ------------------------------------------------------------------------------ */

static int read_credentials(struct server *s, const struct config *config, struct err *err)
{
    const char *client_id = config_text(config, "server_client_id");
    const char *secret_file = config_text(config, "server_secret_file");
    const char *token_file = config_text(config, "server_token_file");

    if (client_id) {
        if (!secret_file)
            return err_set(err, ERR_INVALID, "the configuration has no server_secret_file");
        s->client_id = client_id;
        return fs_read_secret(secret_file, &s->secret, err);
    }
    return token_file ? fetch_token_read(token_file, &s->refresh_token, err) : 0;
}

static int set_up(struct server *s, const struct config *config, struct err *err)
{
    const char *address;

    if (config_require(config, "testflinger_server", &address, err) < 0 ||
        config_duration_ms(config, "server_pause", PAUSE_MS, PAUSE_MAX_MS, &s->pause_ms, err) < 0 ||
        read_credentials(s, config, err) < 0)
        return -1;
    s->url = fetch_base_url(address);
    if (!s->url)
        return err_set(err, ERR_INVALID, "testflinger_server is too long an address");
    s->client = fetch_new("testflinger-device-connector/" PACKAGE_VERSION, err);
    if (s->client)
        s->multi = fetch_multi_new(s->client, err);
    return s->multi ? 0 : -1;
}

struct server *server_new(const struct config *config, struct stop *stop, struct err *err)
{
    struct server *s = calloc(1, sizeof(*s));

    if (!s) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    s->stop = stop;
    s->timeout_s = TIMEOUT_S;
    if (set_up(s, config, err) == 0)
        return s;
    server_free(s);
    return NULL;
}

static void free_secret(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void server_free(struct server *s)
{
    if (!s)
        return;
    fetch_multi_free(s->multi);
    fetch_free(s->client);
    free(s->url);
    free_secret(s->secret);
    free_secret(s->refresh_token);
    free_secret(s->token);
    free(s);
}

void server_ignore_stop(struct server *server)
{
    server->stop = NULL;
    server->timeout_s = UNDO_TIMEOUT_S;
}
