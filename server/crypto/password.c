/* SPDX-License-Identifier: GPL-3.0-or-later
 * bcrypt by libxcrypt. */
#include "server/crypto/password.h"

#include "common/cleanup.h"

#include <assert.h>
#include <crypt.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Reads every byte, wherever the first difference is. */
static bool same_text(const char *a, const char *b, size_t len)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

int password_hash(const char *secret, int cost, char ret_hash[static PASSWORD_HASH_SIZE],
                  struct err *err)
{
    AUTO_FREE struct crypt_data *data = calloc(1, sizeof(*data));
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *hash;

    assert(cost >= PASSWORD_COST_MIN && cost <= PASSWORD_COST_MAX);
    if (strlen(secret) > PASSWORD_MAX_BYTES)
        return err_set(err, ERR_INVALID, "secret is longer than %d bytes", PASSWORD_MAX_BYTES);
    if (!data)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (!crypt_gensalt_rn("$2b$", (unsigned long)cost, NULL, 0, setting, sizeof(setting)))
        return err_set_errno(err, errno, "could not make a salt");
    hash = crypt_r(secret, setting, data);
    if (!hash || hash[0] == '*' || strlen(hash) != PASSWORD_HASH_SIZE - 1)
        return err_set(err, ERR_INTERNAL, "could not hash a secret");
    memcpy(ret_hash, hash, PASSWORD_HASH_SIZE);
    explicit_bzero(data, sizeof(*data));
    return 0;
}

bool password_matches(const char *secret, const char *hash, int cost)
{
    AUTO_FREE struct crypt_data *data = calloc(1, sizeof(*data));
    char dummy[PASSWORD_HASH_SIZE];
    const char *want = hash, *got;
    bool same;

    if (!data)
        return false;
    if (!want || strlen(want) != PASSWORD_HASH_SIZE - 1) {
        (void)snprintf(dummy, sizeof(dummy), "$2b$%02d$", cost);
        memset(dummy + 7, '.', sizeof(dummy) - 8);
        dummy[sizeof(dummy) - 1] = '\0';
        want = dummy;
    }
    got = crypt_r(secret, want, data);
    same = got && got[0] != '*' && strlen(got) == PASSWORD_HASH_SIZE - 1 &&
           same_text(got, want, PASSWORD_HASH_SIZE - 1);
    explicit_bzero(data, sizeof(*data));
    return same && want == hash && strlen(secret) <= PASSWORD_MAX_BYTES;
}
