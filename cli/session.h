/* SPDX-License-Identifier: GPL-3.0-or-later
 * A session with one server: requests by path, log-in when there are credentials, one new log-in
 * and one replay when a token has expired, and errors that say what the server said. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "common/err.h"
#include "fetch/fetch.h"

#include <stdbool.h>
#include <stddef.h>

#define SESSION_REPLY_MAX ((size_t)256 << 20) /* answers kept in memory */

struct session;

/* client_id NULL: anonymous, else both are needed.  The texts are copied. */
struct session *session_new(const char *server, const char *client_id, const char *secret,
                            struct err *err);
void session_free(struct session *s);

/* True once a request left: what fails from then on is the server's or the network's doing. */
bool session_used(const struct session *s);

/* One request; path begins with "/".  The fields url, bearer and the time-outs of *req are filled
 * in here.  Returns 0 with a reply of status 2xx.  A refusal is -1 with the error code of its
 * status and what the server said as text (reply->status tells the status). */
int session_request(struct session *s, const char *path, struct fetch_request *req,
                    struct fetch_reply *reply, struct err *err);

/* GET with the body in memory. */
int session_get(struct session *s, const char *path, struct fetch_reply *reply, struct err *err);
/* GET with the body given to a sink. */
int session_stream(struct session *s, const char *path, fetch_sink_fn *sink, void *arg,
                   struct fetch_reply *reply, struct err *err);
/* POST of a JSON text. */
int session_post(struct session *s, const char *path, const char *body, size_t len,
                 struct fetch_reply *reply, struct err *err);

#endif
