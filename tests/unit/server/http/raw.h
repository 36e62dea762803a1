/* SPDX-License-Identifier: GPL-3.0-or-later
 * A client that sends exactly the bytes it is told, for tests of the loop. */
#ifndef TESTS_UNIT_SERVER_HTTP_RAW_H
#define TESTS_UNIT_SERVER_HTTP_RAW_H

#include <stddef.h>

#define RAW_BODY_MAX ((size_t)1 << 20)

struct raw_reply {
    int status; /* 0: the connection ended before an answer */
    char head[4096];
    char *body; /* decoded; freed by raw_reply_done() */
    size_t len;
};

int raw_connect(int port);
/* All of it, or until the other side has closed. */
void raw_send(int fd, const void *data, size_t len);
void raw_text(int fd, const char *text);
/* Reads one answer (Content-Length, chunked, or to the end of the connection).  head: to a HEAD. */
void raw_read(int fd, struct raw_reply *ret_reply);
void raw_read_head(int fd, struct raw_reply *ret_reply);
void raw_reply_done(struct raw_reply *reply);
/* One request, one answer, on a connection of its own; returns the status. */
int raw_ask(int port, const char *text, struct raw_reply *ret_reply);
/* 1: an answer or the end has come, 0: nothing within the time. */
int raw_readable(int fd, int timeout_ms);
/* 1: the other side has closed, 0: it has not within the time. */
int raw_closed(int fd, int timeout_ms);

#endif
