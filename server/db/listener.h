/* SPDX-License-Identifier: GPL-3.0-or-later
 * What other servers change: one thread with one connection that LISTENs, and sends what is changed
 * here.  Changes that come close together are one notification.
 *
 * Nothing is guaranteed: a notification can be lost with its connection.  Who waits looks again now
 * and then by itself, and everybody does after the connection was made anew. */
#ifndef SERVER_DB_LISTENER_H
#define SERVER_DB_LISTENER_H

#include "common/err.h"
#include "server/wake.h"

struct clock;
struct db_options;
struct listener;
struct metrics;

struct listener_options {
    const struct db_options *db;
    const struct clock *clock;
    struct metrics *metrics;
    /* Called for what changed, here or elsewhere, from any thread. */
    void (*heard)(void *cls, uint64_t key);
    void (*heard_all)(void *cls); /* anything may have changed */
    void *cls;
};

/* Starts the thread.  A database that cannot be reached is waited for. */
struct listener *listener_start(const struct listener_options *options, struct err *err);
/* To tell by; as long as the listener lives. */
struct waker *listener_waker(struct listener *listener);
/* Sends what is still to be sent, ends the thread and frees. */
void listener_free(struct listener *listener);

#endif
