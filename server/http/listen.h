/* SPDX-License-Identifier: GPL-3.0-or-later
 * The listening socket. */
#ifndef SERVER_HTTP_LISTEN_H
#define SERVER_HTTP_LISTEN_H

#include "common/err.h"

#define LISTEN_URL_MAX 300

/* Binds "HOST:PORT" ("127.0.0.1:8000", "[::1]:0", "*:8000" for every address) and listens; port 0
 * is any free one.  Returns the socket (not blocking), and the address it got as a URL and its
 * port. */
int listen_open(const char *address, char ret_url[static LISTEN_URL_MAX], int *ret_port,
                struct err *err);

#endif
