/* SPDX-License-Identifier: GPL-3.0-or-later
 * A running server: workers, loops and what they share. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "common/clock.h"
#include "common/err.h"
#include "server/config.h"

#include <stdbool.h>

struct server;

/* Reads keys and passwords, binds the address, starts all threads.  config must outlive it.  A
 * database that cannot be reached is no failure, one with a schema for other servers is. */
struct server *server_start(const struct config *config, const struct clock *clock,
                            struct err *err);

/* The address it is bound to, and its port. */
const char *server_url(const struct server *server);
int server_port(const struct server *server);

/* True while every loop thread goes round. */
bool server_alive(const struct server *server);

/* After log files were moved away: the ones of the server's own. */
int server_reopen_logs(const struct server *server, struct err *err);

/* Begins to stop: no longer ready, nothing new is taken, what is under way has timeout_ms. */
void server_drain(struct server *server, int64_t timeout_ms);
/* True once nothing is under way any more. */
bool server_drained(const struct server *server);
/* Frees what was drained. */
void server_free(struct server *server);

/* Everything server_start() reads, without starting: keys and passwords. */
int server_check(const struct config *config, struct err *err);

#endif
