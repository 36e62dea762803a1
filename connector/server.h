/* SPDX-License-Identifier: GPL-3.0-or-later
 * The Testflinger server, for stages that submit jobs of their own: requests by path, log-in when
 * the configuration has credentials, tries again as far as that makes sense.  A signal ends every
 * wait. */
#ifndef CONNECTOR_SERVER_H
#define CONNECTOR_SERVER_H

#include "common/err.h"
#include "fetch/fetch.h"

#include <stdbool.h>

struct config;
struct server;
struct stop;

#define SERVER_REPLY_MAX ((size_t)128 << 20)

/* testflinger_server of the configuration; server_client_id with server_secret_file, or
 * server_token_file, if it has them.  stop may be NULL and is borrowed, as is config. */
struct server *server_new(const struct config *config, struct stop *stop, struct err *err);
void server_free(struct server *server);

/* From here on signals do not matter: for undoing what was done. */
void server_ignore_stop(struct server *server);

/* True if the same request may work later: the server or the network is away. */
bool server_may_pass(const struct err *err);
/* The pause after the try of that number, from 1; false if the stage is to end. */
bool server_pause(const struct server *server, int try);

/* GET without a body, or POST of a JSON text.  Tries that often, with growing pauses, while the
 * failure is one that may pass.  0 with a 2xx reply (initialised by the caller with its maximum);
 * -1 with what went wrong: reply->status is that of a refusal, 0 if no reply came. */
int server_get(struct server *server, const char *path, int tries, struct fetch_reply *reply,
               struct err *err);
int server_post(struct server *server, const char *path, const struct buf *body, int tries,
                struct fetch_reply *reply, struct err *err);

#endif
