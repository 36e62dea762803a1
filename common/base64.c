/* SPDX-License-Identifier: GPL-3.0-or-later
 * Base64: four characters to three bytes. */
#include "common/base64.h"

#include <stdint.h>
#include <string.h>

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

int base64_decode(const char *text, size_t len, struct buf *ret_data)
{
    uint32_t bits = 0;
    int count = 0;

    for (int padding = 0; padding < 2 && len > 0 && text[len - 1] == '='; padding++)
        len--;
    if (len % 4 == 1)
        return -1;
    for (size_t i = 0; i < len; i++) {
        int digit = digit_of(text[i]);

        if (digit < 0)
            return -1;
        bits = (bits << 6 | (uint32_t)digit) & 0xFFFFFF;
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (buf_addc(ret_data, (char)(bits >> count & 0xFF)) < 0)
                return -1;
        }
    }
    return 0;
}
