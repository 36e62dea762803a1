/* SPDX-License-Identifier: GPL-3.0-or-later
 * Base64 (RFC 4648, section 4), read only. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include "common/buf.h"

#include <stddef.h>

/* Appends what the text stands for; the padding may be missing.  Returns -1 if the text is no
 * base64 or the result does not fit; the buffer may hold a part then. */
int base64_decode(const char *text, size_t len, struct buf *ret_data);

#endif
