/* SPDX-License-Identifier: GPL-3.0-or-later
 * SHA-256 by Nettle, which uses the processor's instructions for it where there are some: four
 * times as fast as libsodium, and every byte of every file goes through here.  Its state is kept in
 * a struct of our own so that nobody else needs its header. */
#include "server/crypto/digest.h"

#include <nettle/sha2.h>
#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct digest),
               "the state of Nettle fits into struct digest");
_Static_assert(_Alignof(struct sha256_ctx) <= _Alignof(struct digest), "and is aligned");
_Static_assert(SHA256_DIGEST_SIZE == DIGEST_SIZE, "a hash has 32 bytes");

void digest_init(struct digest *digest)
{
    struct sha256_ctx state;

    sha256_init(&state);
    memset(digest, 0, sizeof(*digest));
    memcpy(digest, &state, sizeof(state));
}

void digest_add(struct digest *digest, const void *data, size_t len)
{
    struct sha256_ctx state;

    if (len == 0) /* data may be NULL then */
        return;
    memcpy(&state, digest, sizeof(state));
    sha256_update(&state, len, data);
    memcpy(digest, &state, sizeof(state));
}

void digest_finish(struct digest *digest, unsigned char ret_hash[static DIGEST_SIZE])
{
    struct sha256_ctx state;

    memcpy(&state, digest, sizeof(state));
    sha256_digest(&state, DIGEST_SIZE, ret_hash);
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
