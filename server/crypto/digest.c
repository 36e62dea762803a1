/* SPDX-License-Identifier: GPL-3.0-or-later
 * SHA-256 by libsodium.  Its state is kept in a struct of our own so that nobody else needs its
 * header.  These functions cannot fail: the return values are there for other algorithms. */
#include "server/crypto/digest.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct digest),
               "the state of libsodium fits into struct digest");
_Static_assert(_Alignof(crypto_hash_sha256_state) <= _Alignof(struct digest), "and is aligned");
_Static_assert(crypto_hash_sha256_BYTES == DIGEST_SIZE, "a hash has 32 bytes");

void digest_init(struct digest *digest)
{
    crypto_hash_sha256_state state;

    (void)crypto_hash_sha256_init(&state);
    memset(digest, 0, sizeof(*digest));
    memcpy(digest, &state, sizeof(state));
}

void digest_add(struct digest *digest, const void *data, size_t len)
{
    crypto_hash_sha256_state state;

    if (len == 0) /* data may be NULL then */
        return;
    memcpy(&state, digest, sizeof(state));
    (void)crypto_hash_sha256_update(&state, data, len);
    memcpy(digest, &state, sizeof(state));
}

void digest_finish(struct digest *digest, unsigned char ret_hash[static DIGEST_SIZE])
{
    crypto_hash_sha256_state state;

    memcpy(&state, digest, sizeof(state));
    (void)crypto_hash_sha256_final(&state, ret_hash);
}

void digest_of(const void *data, size_t len, unsigned char ret_hash[static DIGEST_SIZE])
{
    struct digest digest;

    digest_init(&digest);
    digest_add(&digest, data, len);
    digest_finish(&digest, ret_hash);
}

void digest_hex(const unsigned char hash[static DIGEST_SIZE], char ret_hex[static DIGEST_HEX_SIZE])
{
    (void)sodium_bin2hex(ret_hex, DIGEST_HEX_SIZE, hash, DIGEST_SIZE);
}
