/* SPDX-License-Identifier: GPL-3.0-or-later
 * Cookie values as Python's standard library writes them, which is what today's agents send back:
 * bare if made only of harmless characters, else in quotes with \" \\ and \ooo escapes. */
#ifndef SERVER_HTTP_COOKIE_H
#define SERVER_HTTP_COOKIE_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

/* Finds name in the value of a Cookie header and writes what it stands for, with a NUL.  Returns 1
 * if it was found, 0 if not, -1 if its value cannot be used: too long for size, a zero character,
 * not UTF-8. */
int cookie_find(const char *header, const char *name, char *ret_value, size_t size,
                struct err *err);

/* Adds value, quoted if it has to be. */
int cookie_add_value(struct buf *b, const char *value);

#endif
