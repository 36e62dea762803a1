/* SPDX-License-Identifier: GPL-3.0-or-later
 * How many requests of one client wait at a time: each keeps a connection, and whoever forgets to
 * close them, or asks for everything at once, must not keep all others out.  All functions may be
 * called from every thread. */
#ifndef SERVER_HTTP_QUOTA_H
#define SERVER_HTTP_QUOTA_H

#include "common/err.h"

#include <stdint.h>

struct quota;

/* max: places for each of them. */
struct quota *quota_new(int64_t max, struct err *err);
/* All places have been given back. */
void quota_free(struct quota *quota);

/* A number for a name and, if not NULL, a second one below it; never 0.  Should two have the same
 * one, they share their places. */
uint64_t quota_who(const char *name, const char *below);

/* ERR_TOO_MANY: it has all its places.  quota NULL: there is no limit. */
int quota_take(struct quota *quota, uint64_t who, struct err *err);
void quota_give(struct quota *quota, uint64_t who);

#endif
