/* SPDX-License-Identifier: GPL-3.0-or-later
 * JWTs by librhonabwy.  The algorithm is pinned: what a token's header says about algorithm and
 * keys is never trusted, and nothing it points to is fetched.  Keys are imported for each call,
 * since the library's key objects are not made for several threads. */
#include "server/crypto/token.h"

#include "common/cleanup.h"
#include "common/fs.h"

#include <stdlib.h>
#include <string.h>

#include <rhonabwy.h>

struct token_keys {
    size_t count;
    char *keys[TOKEN_KEYS_MAX];
};

static void jwk_done(jwk_t **jwk)
{
    r_jwk_free(*jwk);
}

static void jwt_done(jwt_t **jwt)
{
    r_jwt_free(*jwt);
}

/* Text the library allocated. */
static void rtext_done(char **text)
{
    if (*text)
        r_free(*text);
}

static int out_of_memory(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory");
}

static int add_key(struct token_keys *keys, const char *key, size_t len, struct err *err)
{
    if (keys->count == TOKEN_KEYS_MAX)
        return err_set(err, ERR_INVALID, "more than %d token keys", TOKEN_KEYS_MAX);
    if (len < TOKEN_KEY_MIN_BYTES)
        return err_set(err, ERR_INVALID, "token key %zu has less than %d bytes", keys->count + 1,
                       TOKEN_KEY_MIN_BYTES);
    keys->keys[keys->count] = strndup(key, len);
    if (!keys->keys[keys->count])
        return out_of_memory(err);
    keys->count++;
    return 0;
}

/* Returns keys if they are usable, else frees them. */
static struct token_keys *checked(struct token_keys *keys, int rc, struct err *err)
{
    if (rc == 0 && keys->count > 0)
        return keys;
    if (rc == 0)
        (void)err_set(err, ERR_INVALID, "there is no token key");
    token_keys_free(keys);
    return NULL;
}

static struct token_keys *keys_alloc(struct err *err)
{
    struct token_keys *keys = calloc(1, sizeof(*keys));

    if (!keys)
        (void)out_of_memory(err);
    return keys;
}

struct token_keys *token_keys_new(const char *const *list, size_t count, struct err *err)
{
    struct token_keys *keys = keys_alloc(err);
    int rc = 0;

    if (!keys)
        return NULL;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_key(keys, list[i], strlen(list[i]), err);
    return checked(keys, rc, err);
}

static int add_lines(struct token_keys *keys, const char *text, struct err *err)
{
    while (*text) {
        size_t len = strcspn(text, "\r\n");

        if (len && add_key(keys, text, len, err) < 0)
            return -1;
        text += len;
        text += strspn(text, "\r\n");
    }
    return 0;
}

struct token_keys *token_keys_read(const char *path, struct err *err)
{
    struct buf text = BUF_INIT(64 << 10);
    struct token_keys *keys = NULL;
    int rc;

    if (fs_read(path, &text, err) == 0 && (keys = keys_alloc(err))) {
        rc = add_lines(keys, buf_text(&text), err);
        keys = checked(keys, rc, err);
        if (!keys)
            (void)err_prefix(err, "file \"%s\"", path);
    }
    if (text.data)
        explicit_bzero(text.data, text.len);
    buf_done(&text);
    return keys;
}

void token_keys_free(struct token_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++) {
        explicit_bzero(keys->keys[i], strlen(keys->keys[i]));
        free(keys->keys[i]);
    }
    free(keys);
}

size_t token_keys_shortest(const struct token_keys *keys)
{
    size_t shortest = strlen(keys->keys[0]);

    for (size_t i = 1; i < keys->count; i++)
        if (strlen(keys->keys[i]) < shortest)
            shortest = strlen(keys->keys[i]);
    return shortest;
}

static jwk_t *import_key(const char *key)
{
    jwk_t *jwk = NULL;

    if (r_jwk_init(&jwk) != RHN_OK)
        return NULL;
    if (r_jwk_import_from_symmetric_key(jwk, (const unsigned char *)key, strlen(key)) != RHN_OK) {
        r_jwk_free(jwk);
        return NULL;
    }
    return jwk;
}

static bool signed_by(jwt_t *jwt, const char *key)
{
    __attribute__((cleanup(jwk_done))) jwk_t *jwk = import_key(key);

    return jwk && r_jwt_verify_signature(jwt, jwk, R_FLAG_IGNORE_REMOTE) == RHN_OK;
}

static int check_signature(const struct token_keys *keys, jwt_t *jwt, struct err *err)
{
    if (r_jwt_get_type(jwt) != R_JWT_TYPE_SIGN || r_jwt_get_sign_alg(jwt) != R_JWA_ALG_HS256)
        return err_set(err, ERR_FORBIDDEN, "token is not signed with HS256");
    for (size_t i = 0; i < keys->count; i++)
        if (signed_by(jwt, keys->keys[i]))
            return 0;
    return err_set(err, ERR_FORBIDDEN, "signature of the token is wrong");
}

int token_verify(const struct token_keys *keys, const char *token, int64_t now_s, int64_t leeway_s,
                 struct claims *ret_claims, struct err *err)
{
    __attribute__((cleanup(jwt_done))) jwt_t *jwt = NULL;
    __attribute__((cleanup(rtext_done))) char *text = NULL;

    if (strlen(token) > TOKEN_MAX_BYTES)
        return err_set(err, ERR_FORBIDDEN, "token is too long");
    if (r_jwt_init(&jwt) != RHN_OK)
        return out_of_memory(err);
    if (r_jwt_advanced_parse(jwt, token, R_PARSE_NONE, R_FLAG_IGNORE_REMOTE) != RHN_OK)
        return err_set(err, ERR_FORBIDDEN, "could not read the token");
    if (check_signature(keys, jwt, err) < 0)
        return -1;
    text = r_jwt_get_full_claims_str(jwt);
    if (!text)
        return err_set(err, ERR_FORBIDDEN, "could not read the claims of the token");
    return claims_check(text, now_s, leeway_s, ret_claims, err);
}

int token_make(const struct token_keys *keys, const char *permissions, int64_t now_s,
               int64_t lifetime_s, char **ret_token, struct err *err)
{
    __attribute__((cleanup(jwt_done))) jwt_t *jwt = NULL;
    __attribute__((cleanup(jwk_done))) jwk_t *jwk = import_key(keys->keys[0]);
    __attribute__((cleanup(rtext_done))) char *token = NULL;
    AUTO(buf) struct buf claims = BUF_INIT(CLAIMS_MAX_BYTES);

    if (claims_write(&claims, permissions, now_s, lifetime_s, err) < 0)
        return -1;
    if (!jwk || r_jwt_init(&jwt) != RHN_OK)
        return out_of_memory(err);
    if (r_jwt_set_full_claims_json_str(jwt, buf_text(&claims)) != RHN_OK ||
        r_jwt_set_sign_alg(jwt, R_JWA_ALG_HS256) != RHN_OK)
        return err_set(err, ERR_INTERNAL, "could not put permissions into a token");
    token = r_jwt_serialize_signed(jwt, jwk, R_FLAG_IGNORE_REMOTE);
    *ret_token = token ? strdup(token) : NULL;
    return *ret_token ? 0 : err_set(err, ERR_INTERNAL, "could not sign a token");
}
