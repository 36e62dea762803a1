/* SPDX-License-Identifier: GPL-3.0-or-later
 * Access tokens: as they come, which are never good; and claims of any shape under a good
 * signature. An input that begins with a byte below 0x80 is a token, else the rest of it are
 * claims. */
#include "common/buf.h"
#include "server/crypto/claims.h"
#include "server/crypto/token.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S    1700000000
#define LEEWAY_S 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct token_keys *keys;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const list[] = {"a-key-nobody-can-guess-0123456789abcdef",
                                       "another-key-of-ours"};

    (void)argc;
    (void)argv;
    keys = token_keys_new(list, 2, NULL);
    assert(keys);
    return 0;
}

static void check_error(const struct err *err)
{
    assert(err->code == ERR_UNAUTHORIZED || err->code == ERR_FORBIDDEN);
}

static void read_claims(const char *text)
{
    struct claims claims = {0};
    struct err err = ERR_INIT;

    if (claims_check(text, NOW_S, LEEWAY_S, &claims, &err) < 0) {
        check_error(&err);
        return;
    }
    assert(claims.permissions && claims.permissions[0] == '{');
    assert(claims.expires_at_s > NOW_S);
    claims_done(&claims);
}

/* Permissions that fit into a token come out of it again. */
static void sign_and_verify(const char *permissions)
{
    struct claims claims = {0};
    struct err err = ERR_INIT;
    char *token = NULL;

    if (token_make(keys, permissions, NOW_S, 600, &token, &err) < 0)
        return;
    if (token_verify(keys, token, NOW_S, LEEWAY_S, &claims, &err) == 0)
        claims_done(&claims);
    else
        check_error(&err);
    free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct claims claims = {0};
    struct err err = ERR_INIT;
    char *text = NULL;

    if (size)
        text = strndup((const char *)data + (data[0] >= 0x80), size - (data[0] >= 0x80));
    if (!text)
        return 0;
    if (data[0] >= 0x80) {

        read_claims(text);
        sign_and_verify(text);
    } else {
        assert(token_verify(keys, text, NOW_S, LEEWAY_S, &claims, &err) < 0);
        check_error(&err);
    }
    free(text);
    return 0;
}
