/* SPDX-License-Identifier: GPL-3.0-or-later
 * Characters of UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing beyond U+10FFFF). */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Bytes of the character that text begins with, 0 if it begins with none. */
size_t utf8_char_len(const char *text, size_t len);

/* Writes the character and returns its length; U+FFFD for what is no character. */
size_t utf8_encode(uint32_t code, char ret_bytes[static 4]);

/* The number of characters; a byte that belongs to none counts as one. */
size_t utf8_count(const char *text, size_t len);

#endif
