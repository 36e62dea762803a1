/* SPDX-License-Identifier: GPL-3.0-or-later
 * Random characters from the kernel. */
#include "server/crypto/random.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

_Static_assert(sizeof(alphabet) == 64 + 1, "six bits choose one character, without a bias");

int random_text(char *ret_text, size_t size, struct err *err)
{
    unsigned char bytes[256];

    assert(size > 0 && size <= sizeof(bytes));
    /* Up to 256 bytes come whole or not at all. */
    if (getrandom(bytes, size, 0) != (ssize_t)size)
        return err_set_errno(err, errno, "could not get random bytes");
    for (size_t i = 0; i < size - 1; i++)
        ret_text[i] = alphabet[bytes[i] & 63];
    ret_text[size - 1] = '\0';
    return 0;
}
