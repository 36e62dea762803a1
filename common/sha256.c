/* SPDX-License-Identifier: GPL-3.0-or-later
 * SHA-256 by libsodium, whose header nobody else in common/ needs to see. */
#include "common/sha256.h"

#include <sodium.h>

void sha256_hex(const void *data, size_t len, char ret_hex[static SHA256_HEX_SIZE])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(hash, data, len); /* cannot fail */
    (void)sodium_bin2hex(ret_hex, SHA256_HEX_SIZE, hash, sizeof(hash));
}
