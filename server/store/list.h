/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside server/store only: a list of texts as PostgreSQL reads an array. */
#ifndef SERVER_STORE_LIST_H
#define SERVER_STORE_LIST_H

#include "common/buf.h"

#include <stdint.h>

#define LIST_TEXT_MAX ((size_t)1 << 20)

/* list is empty before the first one; NULL becomes SQL's.  What fails is told at the end. */
void list_add(struct buf *list, const char *text);
void list_add_int(struct buf *list, int64_t number);
/* After the last one.  -1: it is larger than the buffer may be. */
int list_end(struct buf *list);

/* The same in PostgreSQL's binary form, where nothing has to be quoted: for long texts.  The list
 * begins with its count. */
void list_begin_binary(struct buf *list, size_t count);
int list_add_binary(struct buf *list, const struct buf *text);

#endif
