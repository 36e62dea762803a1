/* SPDX-License-Identifier: GPL-3.0-or-later
 * SHA-256 for programs that know nothing of the server. */
#ifndef COMMON_SHA256_H
#define COMMON_SHA256_H

#include <stddef.h>

#define SHA256_HEX_SIZE 65

/* The digest of the bytes in lower case hexadecimal. */
void sha256_hex(const void *data, size_t len, char ret_hex[static SHA256_HEX_SIZE]);

#endif
