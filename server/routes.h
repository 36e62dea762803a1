/* SPDX-License-Identifier: GPL-3.0-or-later
 * The route table: one row per method and path.  Who may call is a column. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "common/names.h"
#include "common/schema.h"
#include "server/http/request.h"
#include "server/http/response.h"

#include <stdbool.h>
#include <stddef.h>

struct app;

/* A set of roles. */
#define MAY(role)  (1u << ROLE_##role)
#define MAY_PUBLIC 0u /* the Authorization header is not even looked at */
#define MAY_USE    (MAY(ADMIN) | MAY(MANAGER) | MAY(CONTRIBUTOR))
#define MAY_ANY    (MAY_USE | MAY(AGENT))
#define MAY_MANAGE (MAY(ADMIN) | MAY(MANAGER))
#define MAY_ADMIN  MAY(ADMIN)
#define MAY_AGENT  MAY(AGENT)

enum lane {
    LANE_LOOP, /* answered on the loop thread: never blocks, app->db is NULL */
    LANE_FAST,
    LANE_SLOW,   /* passwords, search, big listings */
    LANE_BULK,   /* files: a piece of one costs as much as many small requests */
    LANE_RENEW,  /* one thread makes all that wait at a moment: .together instead of .handler */
    LANE_CLAIM,  /* likewise */
    LANE_LOG,    /* likewise, if the body is small */
    LANE_RESULT, /* likewise */
    LANE_SUBMIT, /* likewise, once it is prepared */
};

enum body_kind {
    BODY_NONE,   /* whatever came is read up to the limit and ignored */
    BODY_JSON,   /* checked by .schema into req->json (an empty body is {}) */
    BODY_UPLOAD, /* multipart/form-data, part "file", given to .upload piece by piece */
};

typedef int (*handler_fn)(struct app *app, const struct request *req, struct response *res,
                          struct err *err);

enum turn_end {
    TURN_DONE,
    TURN_AGAIN, /* nothing was done: it is to be one of the next ones */
    TURN_ALONE, /* nothing was done, since the others would have to wait for it: alone, at once */
};

/* One of the requests that are made together: what a handler is given, and instead of its return
 * value err->code, ERR_NONE at first. */
struct turn {
    const struct request *req;
    void *prepared; /* stays the caller's */
    struct response *res;
    struct err *err;
    bool alone;        /* there are no others, it may take its time */
    enum turn_end end; /* the function's: TURN_DONE at first */
    bool slow;         /* likewise: the same request is made alone the next time */
};

struct together_handler {
    /* At most WORK_TOGETHER_MAX.  A turn may wait as a handler may (response_wait()). */
    void (*make)(struct app *app, struct turn *turns, size_t count);
    /* NULL: nothing.  What can be done before a request's turn comes, on another thread and in
     * most cases without a database, while the turns before it are made.  The body is gone
     * afterwards: all that is needed of it is in *ret_prepared. */
    int (*prepare)(const struct app *app, const struct request *req, void **ret_prepared,
                   struct err *err);
    void (*release)(void *prepared);
};

/* An upload: open once the headers are in, write for each piece (at most STREAM_PIECE_MAX bytes but
 * for the last all of that size), then finish, which fills the response.  Each call runs on some
 * worker; *state is passed along.  abandon is called instead of finish when the client went away or
 * a call failed; it frees the state and must leave nothing visible. */
struct upload_handler {
    int (*open)(struct app *app, const struct request *req, void **ret_state, struct err *err);
    int (*write)(struct app *app, void *state, const void *data, size_t len, struct err *err);
    int (*finish)(struct app *app, void *state, struct response *res, struct err *err);
    void (*abandon)(struct app *app, void *state);
};

struct route {
    const char *method;
    const char *path; /* parts in braces match one path part; {path...} matches the rest */
    unsigned roles;
    handler_fn handler;
    enum lane lane;
    enum body_kind body;
    size_t body_max;
    const struct schema *schema;
    const struct upload_handler *upload;
    bool hands_out; /* HEAD is answered 204 without asking the handler; each answer has Accept-Wait
                     */
    const struct together_handler *together;
};

extern const struct route routes[];
extern const size_t route_count;

#endif
