/* SPDX-License-Identifier: GPL-3.0-or-later
 * SHA-256, of a whole text or in pieces.  The only file that uses Nettle. */
#ifndef SERVER_CRYPTO_DIGEST_H
#define SERVER_CRYPTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE     32
#define DIGEST_HEX_SIZE 65

/* Plain memory: may be copied and handed from thread to thread, and needs no clean-up. */
struct digest {
    uint64_t state[16];
};

void digest_init(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t len);
/* The digest is used up then. */
void digest_finish(struct digest *digest, unsigned char ret_hash[static DIGEST_SIZE]);

void digest_of(const void *data, size_t len, unsigned char ret_hash[static DIGEST_SIZE]);
void digest_hex(const unsigned char hash[static DIGEST_SIZE], char ret_hex[static DIGEST_HEX_SIZE]);

#endif
