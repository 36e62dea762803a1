/* SPDX-License-Identifier: GPL-3.0-or-later
 * One HTTP request out, one reply in.  The only door to libcurl.
 *
 *     struct fetch_request req = {.method = "GET", .url = "http://host/v1/", .timeout_s = 30};
 *     struct fetch *client = fetch_new("testflinger/1.0", &err);
 *     struct fetch_reply reply;
 *
 *     fetch_reply_init(&reply, 1 << 20);
 *     if (fetch_run(client, &req, &reply, &err) < 0)
 *         no reply came, err says why
 *     else if (reply.status == 200)
 *         buf_text(&reply.body) is what came
 *     fetch_reply_done(&reply);
 *
 * fetch_run() waits; fetch/multi.h is the form that does not.  Every request has a time-out, every
 * reply a maximum.  A client keeps connections and cookies, and serves one thread. */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

#define FETCH_CONNECT_S   10
#define FETCH_HEADERS_MAX (64 * 1024)

struct fetch;

/* Takes a piece of the reply's body; anything but 0 ends the exchange with ERR_INTERNAL. */
typedef int fetch_sink_fn(void *arg, const char *data, size_t len);

/* Everything is borrowed: it must live until the reply is there. */
struct fetch_request {
    const char *method; /* "GET", "HEAD", "POST", "PUT", "DELETE" */
    const char *url;    /* absolute, http or https */
    unsigned timeout_s; /* for the whole exchange; never 0 */
    unsigned stall_s;   /* give up when nothing moves for so long; 0: timeout_s alone counts */

    const char *bearer;     /* access token, or NULL */
    const char *basic_user; /* with basic_password: HTTP Basic; or NULL */
    const char *basic_password;
    const char *const *headers; /* more headers, "Name: value", NULL terminated; or NULL */

    /* The body: text in memory, or a file streamed as multipart field "file", or none. */
    const char *body;
    size_t body_len;
    const char *content_type; /* of body; NULL: application/json */
    const char *upload_path;
    const char *upload_name; /* file name told to the server; NULL: the path's last part */

    /* Where the body of a 2xx reply goes instead of reply.body; NULL: reply.body.  Bodies of
     * other replies always go to reply.body, since they carry messages. */
    fetch_sink_fn *sink;
    void *sink_arg;
};

struct fetch_reply {
    int status;         /* 100..599; 0: no reply came */
    struct buf body;    /* its maximum is the limit for the reply */
    struct buf headers; /* raw lines of the last reply */
};

/* What a caller may do about an outcome. */
enum fetch_class {
    FETCH_OK,      /* 2xx */
    FETCH_RETRY,   /* no reply, 408, 429, 500, 502, 503, 504: the same request may work later */
    FETCH_AUTH,    /* 401: a fresh token may help */
    FETCH_REFUSED, /* anything else: asking again gives the same */
};

struct fetch *fetch_new(const char *user_agent, struct err *err);
void fetch_free(struct fetch *client);

void fetch_reply_init(struct fetch_reply *reply, size_t body_max);
void fetch_reply_done(struct fetch_reply *reply);

/* Returns 0 when a whole reply came, whatever its status.  Else -1, reply->status is 0 and
 * err->code tells: ERR_UPSTREAM (not reachable, cut off), ERR_UPSTREAM_TIMEOUT, ERR_TOO_LARGE (the
 * reply passed its maximum), ERR_INVALID (no such URL), ERR_INTERNAL (sink, file, memory). */
int fetch_run(struct fetch *client, const struct fetch_request *req, struct fetch_reply *reply,
              struct err *err);

/* err: of a failed fetch_run(), else NULL. */
enum fetch_class fetch_classify(const struct fetch_reply *reply, const struct err *err);

/* Copies the value of a header (name without colon, any case) to a text of size bytes, cut if it
 * is longer; -1 if the reply did not have it. */
int fetch_header(const struct fetch_reply *reply, const char *name, char *ret_value, size_t size);

/* A ready-made sink: arg points to an int, a file descriptor to write to. */
fetch_sink_fn fetch_sink_fd;

/* A server's address as people write it: http:// is put before one without a scheme, slashes at the
 * end are cut.  The caller frees it; NULL if memory is out or it is too long. */
char *fetch_base_url(const char *server);

/* Adds text percent-encoded, for a path part or a query value. */
int fetch_add_escaped(struct buf *b, const char *text);

#endif
