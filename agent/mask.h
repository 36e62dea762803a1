/* SPDX-License-Identifier: GPL-3.0-or-later
 * Secret values in what leaves the agent become "**" + six digits of their SHA-256 + "**".
 *
 * Text comes in pieces of any size; a value that straddles two pieces is found too: the end of a
 * piece that may be the beginning of a value is held back until more comes or the text ends.
 * Where several values match at one place the longest wins. */
#ifndef AGENT_MASK_H
#define AGENT_MASK_H

#include "common/buf.h"
#include "common/err.h"

#include <json-c/json.h>
#include <stddef.h>

#define MASK_VALUES_MAX 1000
/* No variable of a command can be longer.  Should a longer value get out some other way, its first
 * so many bytes are masked. */
#define MASK_VALUE_MAX (128 * 1024)
#define MASK_HELD_MAX  (4 * MASK_VALUE_MAX)

struct mask;

struct mask *mask_new(struct err *err);
void mask_free(struct mask *mask);
/* Copies the value; an empty one is ignored. */
int mask_add(struct mask *mask, const char *value, size_t len, struct err *err);

/* Masks a piece of at most MASK_VALUE_MAX bytes and appends it to *out, which must have room for
 * it (what does not fit is lost).  held belongs to the text: initialised with MASK_HELD_MAX. */
void mask_piece(const struct mask *mask, struct buf *held, const char *data, size_t len,
                struct buf *out);
/* The text has ended: what was held back. */
void mask_end(const struct mask *mask, struct buf *held, struct buf *out);

/* A whole text at once. */
void mask_text(const struct mask *mask, const char *data, size_t len, struct buf *out);
/* A document as text, masked in its keys and values: in the text itself a value may stand in
 * another spelling (\" for a quote), which nobody would know for a secret.  A number with a secret
 * in it becomes a string. */
void mask_json(const struct mask *mask, struct json_object *json, struct buf *out);

#endif
