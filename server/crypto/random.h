/* SPDX-License-Identifier: GPL-3.0-or-later
 * Texts that nobody can guess. */
#ifndef SERVER_CRYPTO_RANDOM_H
#define SERVER_CRYPTO_RANDOM_H

#include "common/err.h"

#include <stddef.h>

#define REFRESH_TOKEN_SIZE 49 /* 48 characters and the NUL */

/* Fills ret_text with size - 1 characters out of A-Z a-z 0-9 - _ (6 bits each) and a NUL.
 * size is at most 256. */
int random_text(char *ret_text, size_t size, struct err *err);

#endif
