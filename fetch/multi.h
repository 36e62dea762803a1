/* SPDX-License-Identifier: GPL-3.0-or-later
 * Many exchanges at once, none of which waits: for a program with a poll loop of its own.
 *
 *     struct fetch_multi *multi = fetch_multi_new(client, &err);
 *     fetch_start(multi, &req, &reply, on_reply, arg, &err);
 *     poll fetch_multi_fd(multi) for reading; when it is ready: fetch_multi_run(multi);
 *
 * Time-outs need no care: they make the descriptor ready too. */
#ifndef FETCH_MULTI_H
#define FETCH_MULTI_H

#include "fetch/fetch.h"

struct fetch_multi;
struct fetch_exchange;

/* Called once from fetch_multi_run(), never from fetch_start().  reply is the one given at the
 * start; err is NULL if a reply came.  May start and cancel other exchanges. */
typedef void fetch_done_fn(void *arg, struct fetch_reply *reply, const struct err *err);

/* The client is borrowed. */
struct fetch_multi *fetch_multi_new(struct fetch *client, struct err *err);
/* Cancels what is under way. */
void fetch_multi_free(struct fetch_multi *multi);

int fetch_multi_fd(const struct fetch_multi *multi);
void fetch_multi_run(struct fetch_multi *multi);

/* Begins an exchange; NULL on failure.  What req points to and reply must live until done was
 * called or the exchange was cancelled; req itself is copied. */
struct fetch_exchange *fetch_start(struct fetch_multi *multi, const struct fetch_request *req,
                                   struct fetch_reply *reply, fetch_done_fn *done, void *arg,
                                   struct err *err);
/* Ends an exchange without calling done. */
void fetch_cancel(struct fetch_exchange *exchange);

#endif
