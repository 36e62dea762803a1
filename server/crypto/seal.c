/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sealing with libsodium.  What is authenticated beside the text is a list of parts, each behind
 * its length, so that no two lists give the same bytes.  Nonces are random: 24 bytes are enough for
 * that. */
#include "server/crypto/seal.h"

#include "server/crypto/seal_keys.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY_SIZE   crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define BOUND_MAX  ((size_t)8 << 10)

_Static_assert(KEY_SIZE == SEAL_KEY_SIZE, "a key has 32 bytes");
_Static_assert(SEAL_DATA_KEY_SIZE == NONCE_SIZE + KEY_SIZE + TAG_SIZE, "size of a wrapped key");
_Static_assert(SEAL_SEALED_MAX == NONCE_SIZE + SEAL_VALUE_MAX + TAG_SIZE, "of a sealed value");

static void add_part(struct buf *b, const char *text)
{
    size_t len = strlen(text);

    for (int shift = 0; shift < 64; shift += 8)
        (void)buf_addc(b, (char)((uint64_t)len >> shift & 0xFF));
    (void)buf_add(b, text, len);
}

/* What a sealed text is bound to: its use ("value", or "key" and the master key's id) and name. */
static int bind_to(struct buf *b, const char *use, const char *key_id, const struct seal_name *name,
                   struct err *err)
{
    add_part(b, use);
    add_part(b, key_id);
    add_part(b, name->client_id);
    add_part(b, name->path);
    return buf_failed(b) ? err_set(err, ERR_INVALID, "name of a secret is too long") : 0;
}

/* Writes nonce, ciphertext and tag: len + NONCE_SIZE + TAG_SIZE bytes. */
static void encrypt(const unsigned char *key, const struct buf *bound, const void *text, size_t len,
                    unsigned char *ret_sealed)
{
    randombytes_buf(ret_sealed, NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(ret_sealed + NONCE_SIZE, NULL, text, len,
                                                     (const unsigned char *)buf_text(bound),
                                                     bound->len, NULL, ret_sealed, key);
}

/* The other way round; len is that of the sealed text.  -1: not what was sealed. */
static int decrypt(const unsigned char *key, const struct buf *bound, const unsigned char *sealed,
                   size_t len, unsigned char *ret_text)
{
    if (len < NONCE_SIZE + TAG_SIZE)
        return -1;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
        ret_text, NULL, NULL, sealed + NONCE_SIZE, len - NONCE_SIZE,
        (const unsigned char *)buf_text(bound), bound->len, sealed, key);
}

static unsigned char *new_data_key(struct err *err)
{
    unsigned char *key = sodium_malloc(KEY_SIZE);

    if (!key)
        (void)err_set(err, ERR_INTERNAL, "out of locked memory");
    return key;
}

static int wrap(const struct seal_keys *keys, const struct seal_name *name,
                const unsigned char *data_key, struct sealed *sealed, struct err *err)
{
    const struct seal_key *master = &keys->keys[0];
    struct buf bound = BUF_INIT(BOUND_MAX);
    int rc = bind_to(&bound, "key", master->id, name, err);

    if (rc == 0) {
        encrypt(master->key, &bound, data_key, KEY_SIZE, sealed->data_key);
        memcpy(sealed->key_id, master->id, sizeof(sealed->key_id));
    }
    buf_done(&bound);
    return rc;
}

static int unwrap(const struct seal_keys *keys, const struct seal_name *name,
                  const struct sealed *sealed, unsigned char *ret_data_key, struct err *err)
{
    const struct seal_key *master = seal_keys_find(keys, sealed->key_id);
    struct buf bound = BUF_INIT(BOUND_MAX);
    int rc;

    if (!master)
        return err_set(err, ERR_NOT_FOUND, "key \"%s\" is not in the key file", sealed->key_id);
    rc = bind_to(&bound, "key", master->id, name, err);
    if (rc == 0 &&
        decrypt(master->key, &bound, sealed->data_key, sizeof(sealed->data_key), ret_data_key) < 0)
        rc = err_set(err, ERR_INVALID, "key \"%s\" does not open a data key", sealed->key_id);
    buf_done(&bound);
    return rc;
}

void sealed_done(struct sealed *sealed)
{
    buf_done(&sealed->value);
}

/* Into a fresh buffer, sealed with the data key. */
static int seal_text(const unsigned char *data_key, const struct seal_name *name, const char *value,
                     size_t len, struct buf *ret_sealed, struct err *err)
{
    struct buf bound = BUF_INIT(BOUND_MAX);
    char *room;
    int rc = bind_to(&bound, "value", "", name, err);

    if (rc == 0 && !(room = buf_reserve(ret_sealed, len + NONCE_SIZE + TAG_SIZE)))
        rc = err_set(err, ERR_INTERNAL, "out of memory");
    if (rc == 0) {
        encrypt(data_key, &bound, value, len, (unsigned char *)room);
        ret_sealed->len += len + NONCE_SIZE + TAG_SIZE;
        buf_sane(ret_sealed);
    }
    buf_done(&bound);
    return rc;
}

int seal_value(const struct seal_keys *keys, const struct seal_name *name, const char *value,
               size_t len, struct sealed *ret_sealed, struct err *err)
{
    unsigned char *data_key;
    int rc;

    if (len > SEAL_VALUE_MAX)
        return err_set(err, ERR_INVALID, "value is longer than %zu bytes", SEAL_VALUE_MAX);
    data_key = new_data_key(err);
    if (!data_key)
        return -1;
    randombytes_buf(data_key, KEY_SIZE);
    rc = seal_text(data_key, name, value, len, &ret_sealed->value, err);
    if (rc == 0)
        rc = wrap(keys, name, data_key, ret_sealed, err);
    sodium_free(data_key); /* wipes it */
    return rc;
}

static int open_text(const unsigned char *data_key, const struct seal_name *name,
                     const struct buf *sealed, struct buf *ret_value, struct err *err)
{
    struct buf bound = BUF_INIT(BOUND_MAX);
    int rc = bind_to(&bound, "value", "", name, err);
    char *room = NULL;

    if (rc == 0 && sealed->len < NONCE_SIZE + TAG_SIZE)
        rc = err_set(err, ERR_INVALID, "a sealed value was cut");
    /* all at once: growing would leave pieces of the value behind */
    if (rc == 0 && !(room = buf_reserve(ret_value, sealed->len)))
        rc = err_set(err, ERR_INTERNAL, "value of a secret is too large");
    if (rc == 0 && decrypt(data_key, &bound, (const unsigned char *)buf_text(sealed), sealed->len,
                           (unsigned char *)room) < 0)
        rc = err_set(err, ERR_INVALID, "a sealed value is damaged");
    if (rc == 0)
        ret_value->len += sealed->len - NONCE_SIZE - TAG_SIZE;
    if (room)
        buf_sane(ret_value);
    buf_done(&bound);
    return rc;
}

int seal_open(const struct seal_keys *keys, const struct seal_name *name,
              const struct sealed *sealed, struct buf *ret_value, struct err *err)
{
    unsigned char *data_key = new_data_key(err);
    int rc;

    if (!data_key)
        return -1;
    rc = unwrap(keys, name, sealed, data_key, err);
    if (rc == 0)
        rc = open_text(data_key, name, &sealed->value, ret_value, err);
    sodium_free(data_key);
    return rc;
}

int seal_rewrap(const struct seal_keys *keys, const struct seal_name *name, struct sealed *sealed,
                struct err *err)
{
    unsigned char *data_key = new_data_key(err);
    int rc;

    if (!data_key)
        return -1;
    rc = unwrap(keys, name, sealed, data_key, err);
    if (rc == 0)
        rc = wrap(keys, name, data_key, sealed, err);
    sodium_free(data_key);
    return rc;
}
