/* SPDX-License-Identifier: GPL-3.0-or-later
 * UTF-8, character by character. */
#include "common/utf8.h"

#include <stdbool.h>

static bool is_continuation(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* What the second byte may be depends on the first: so overlong forms and surrogates are out. */
static bool is_second(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return is_continuation(second);
    }
}

size_t utf8_char_len(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t want;

    if (len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        want = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        want = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        want = 4;
    else
        return 0;
    if (len < want || !is_second(p[0], p[1]))
        return 0;
    for (size_t i = 2; i < want; i++)
        if (!is_continuation(p[i]))
            return 0;
    return want;
}

size_t utf8_encode(uint32_t code, char ret_bytes[static 4])
{
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        code = 0xFFFD;
    if (code < 0x80) {
        ret_bytes[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        ret_bytes[0] = (char)(0xC0 | (code >> 6));
        ret_bytes[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        ret_bytes[0] = (char)(0xE0 | (code >> 12));
        ret_bytes[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        ret_bytes[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    ret_bytes[0] = (char)(0xF0 | (code >> 18));
    ret_bytes[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    ret_bytes[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    ret_bytes[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

size_t utf8_count(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; count++) {
        size_t n = utf8_char_len(text + i, len - i);

        i += n ? n : 1;
    }
    return count;
}
