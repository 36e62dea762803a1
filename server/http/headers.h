/* SPDX-License-Identifier: GPL-3.0-or-later
 * The header fields of a request: collected, checked for tricks, and read.  Knows nothing of
 * libmicrohttpd; loop code feeds it field by field. */
#ifndef SERVER_HTTP_HEADERS_H
#define SERVER_HTTP_HEADERS_H

#include "common/err.h"
#include "server/http/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEADERS_MAX 100

struct headers {
    struct pair items[HEADERS_MAX];
    size_t count;
    char *memory; /* names and values, each with its NUL */
    size_t used;
    size_t size;
};

/* Makes room for a header of this many bytes as it was sent. */
int headers_init(struct headers *h, size_t sent_bytes, struct err *err);
/* Adds a copy, the name in lower case.  ERR_BAD_REQUEST: zero characters, too many or too long. */
int headers_add(struct headers *h, const char *name, size_t name_len, const char *value,
                size_t value_len, struct err *err);
void headers_done(struct headers *h);

/* NULL if there is none. */
const char *headers_get(const struct headers *h, const char *name);

/* How the body is delimited; everything that two programs could read in two ways is refused:
 * Content-Length together with Transfer-Encoding, either of them repeated, a coding we do not know.
 * *ret_length is -1 for a chunked body and 0 for none. */
int headers_framing(const struct headers *h, int64_t *ret_length, struct err *err);

/* True if Content-Type says JSON: application/json or application/…+json, parameters ignored. */
bool headers_json(const struct headers *h);

#endif
