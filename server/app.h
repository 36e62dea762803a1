/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a handler may reach: one struct app per worker thread, passed down, never global. */
#ifndef SERVER_APP_H
#define SERVER_APP_H

struct audit;
struct buf;
struct config;
struct clock;
struct db;
struct metrics;
struct seal_keys;
struct token_keys;
struct waker;

struct app {
    const struct config *config; /* does not change while workers run */
    const struct clock *clock;
    struct db *db;                 /* this worker's connection */
    struct metrics *metrics;       /* shared, thread safe */
    struct audit *audit;           /* shared, thread safe */
    struct waker *waker;           /* likewise; NULL: nobody waits */
    const struct token_keys *keys; /* shared, read only */
    const struct seal_keys *seal;  /* likewise; NULL: no store for secrets */
    const struct buf *openapi;     /* the description of the interface, JSON */
    const char *webhook_token;     /* NULL: none is sent */
};

#endif
