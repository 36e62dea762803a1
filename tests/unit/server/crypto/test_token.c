/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/crypto/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW      INT64_C(1700000000)
#define LEEWAY_S 5

static const char key_a[] = "the-signing-key-of-the-tests-0123456789";
static const char key_b[] = "another-key-that-was-used-before-012345";

static struct token_keys *keys_of(const char *first, const char *second)
{
    const char *const list[] = {first, second};
    struct token_keys *keys = token_keys_new(list, second ? 2 : 1, NULL);

    assert_non_null(keys);
    return keys;
}

static enum err_code verify_at(const struct token_keys *keys, const char *token, int64_t now_s)
{
    struct claims claims = {0};
    struct err err = ERR_INIT;
    int rc = token_verify(keys, token, now_s, LEEWAY_S, &claims, &err);

    assert_int_equal(rc < 0, err.code != ERR_NONE);
    claims_done(&claims);
    return err.code;
}

static char *make(const struct token_keys *keys, const char *permissions)
{
    char *token = NULL;

    assert_int_equal(token_make(keys, permissions, NOW, 600, &token, NULL), 0);
    return token;
}

static void test_a_token_carries_its_permissions_unchanged(void **state)
{
    static const char permissions[] =
        "{\"client_id\":\"caf\xc3\xa9\",\"role\":\"admin\",\"max_priority\":{\"*\":-1}}";
    struct token_keys *keys = keys_of(key_a, NULL);
    char *token = make(keys, permissions);
    struct claims claims = {0};

    (void)state;
    assert_int_equal(token_verify(keys, token, NOW, LEEWAY_S, &claims, NULL), 0);
    assert_int_equal(claims.expires_at_s, NOW + 600 + LEEWAY_S);
    assert_non_null(strstr(claims.permissions, "\"client_id\":\"caf\xc3\xa9\""));
    assert_non_null(strstr(claims.permissions, "\"max_priority\":{\"*\":-1}"));
    claims_done(&claims);
    free(token);
    token_keys_free(keys);
}

static void test_it_is_valid_for_its_time_and_the_leeway(void **state)
{
    struct token_keys *keys = keys_of(key_a, NULL);
    char *token = make(keys, "{}");

    (void)state;
    assert_int_equal(verify_at(keys, token, NOW - LEEWAY_S), ERR_NONE);
    assert_int_equal(verify_at(keys, token, NOW - LEEWAY_S - 1), ERR_UNAUTHORIZED);
    assert_int_equal(verify_at(keys, token, NOW + 600 + LEEWAY_S - 1), ERR_NONE);
    assert_int_equal(verify_at(keys, token, NOW + 600 + LEEWAY_S), ERR_UNAUTHORIZED);
    free(token);
    token_keys_free(keys);
}

static void test_every_key_is_accepted_and_the_first_one_signs(void **state)
{
    struct token_keys *before = keys_of(key_b, NULL);
    struct token_keys *both = keys_of(key_a, key_b);
    struct token_keys *after = keys_of(key_a, NULL);
    char *old = make(before, "{}");
    char *fresh = make(both, "{}");

    (void)state;
    assert_int_equal(verify_at(both, old, NOW), ERR_NONE);
    assert_int_equal(verify_at(after, old, NOW), ERR_FORBIDDEN);
    assert_int_equal(verify_at(after, fresh, NOW), ERR_NONE);
    assert_int_equal(verify_at(before, fresh, NOW), ERR_FORBIDDEN);
    free(old);
    free(fresh);
    token_keys_free(before);
    token_keys_free(both);
    token_keys_free(after);
}

static void test_a_changed_byte_spoils_the_token(void **state)
{
    struct token_keys *keys = keys_of(key_a, NULL);
    char *token = make(keys, "{\"client_id\":\"x\"}");

    (void)state;
    for (size_t i = 0; i + 1 < strlen(token); i += 7) { /* the last character has unused bits */
        char saved = token[i];

        token[i] = saved == 'A' ? 'B' : 'A';
        assert_int_equal(verify_at(keys, token, NOW), ERR_FORBIDDEN);
        token[i] = saved;
    }
    free(token);
    token_keys_free(keys);
}

#define PAYLOAD                                                                                    \
    "eyJleHAiOjE3MDAwMDA2MDAsImlhdCI6MTcwMDAwMDAwMCwic3ViIjoieCIsInBlcm1pc3Npb25zIjp7fX0"

/* Tokens of this and the next test were made once with another implementation. */
static void test_a_token_of_another_implementation_is_read(void **state)
{
    struct token_keys *keys = keys_of(key_a, NULL);

    (void)state;
    assert_int_equal(verify_at(keys,
                               "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." PAYLOAD
                               ".e56NlU9KND8QV-J0PkrF-iUZZ69qoBbTd9TGgX8DlUE",
                               NOW),
                     ERR_NONE);
    token_keys_free(keys);
}

static void test_only_the_pinned_algorithm_counts(void **state)
{
    static const char *const tokens[] = {
        /* {"alg":"none"} and no signature */
        "eyJhbGciOiJub25lIn0." PAYLOAD ".",
        /* {"alg":"HS512"} and {"alg":"HS384"}, rightly signed */
        "eyJhbGciOiJIUzUxMiJ9." PAYLOAD
        ".Iq4KD3WwueTZzDzTJdMjG0wuGhF1NSAbL6lpFGzv2wXw7wzE5Q7DUB5rkNmk5acbRlrZxFHwHUeUPehPiNaB_w",
        "eyJhbGciOiJIUzM4NCJ9." PAYLOAD
        ".zxTeh5vMaLRlcNU2n7aZljfW3DDl8DAMmqpC6WXNotASIW5LcO4POp3UdQ0ffQtO",
        /* HS256 by a key that the header brings along */
        "eyJhbGciOiJIUzI1NiIsImp3ayI6eyJrdHkiOiJvY3QiLCJrIjoiWVhSMFlXTnJaWEl0YTJWNUxXRjBkR0ZqYTJWeU"
        "xX"
        "dGxlUzFoZEhSaFkydGxjZyJ9fQ." PAYLOAD ".HFz91tUp6PAoHSdC2ArTLu4nKgCzc2WT-wI1IV0q_pM",
        "eyJhbGciOiJIUzI1NiJ9." PAYLOAD ".",
        "eyJhbGciOiJIUzI1NiJ9..",
        "..",
        "",
        "a.b.c",
        "nonsense",
        "a.b.c.d.e",
    };
    struct token_keys *keys = keys_of(key_a, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
        assert_int_equal(verify_at(keys, tokens[i], NOW), ERR_FORBIDDEN);
    token_keys_free(keys);
}

static enum err_code check_text(const char *text)
{
    struct claims claims = {0};
    struct err err = ERR_INIT;

    (void)claims_check(text, NOW, LEEWAY_S, &claims, &err);
    claims_done(&claims);
    return err.code;
}

#define TIMES "\"exp\":1700000100,\"iat\":1700000000"

static void test_required_claims_are_required(void **state)
{
    (void)state;
    assert_int_equal(check_text("{" TIMES ",\"sub\":\"x\",\"permissions\":{}}"), ERR_NONE);
    assert_int_equal(check_text("{\"iat\":1700000000,\"sub\":\"x\",\"permissions\":{}}"),
                     ERR_FORBIDDEN);
    assert_int_equal(check_text("{\"exp\":1700000100,\"sub\":\"x\",\"permissions\":{}}"),
                     ERR_FORBIDDEN);
    assert_int_equal(check_text("{" TIMES ",\"permissions\":{}}"), ERR_FORBIDDEN);
    assert_int_equal(check_text("{" TIMES ",\"sub\":5,\"permissions\":{}}"), ERR_FORBIDDEN);
    assert_int_equal(check_text("{" TIMES ",\"sub\":\"x\"}"), ERR_FORBIDDEN);
    assert_int_equal(check_text("{" TIMES ",\"sub\":\"x\",\"permissions\":[]}"), ERR_FORBIDDEN);
    assert_int_equal(check_text("{" TIMES ",\"sub\":\"x\",\"permissions\":{},\"aud\":\"y\"}"),
                     ERR_FORBIDDEN);
    assert_int_equal(check_text("[]"), ERR_FORBIDDEN);
    assert_int_equal(check_text("{"), ERR_FORBIDDEN);
}

static void test_times_are_numbers_in_their_order(void **state)
{
    (void)state;
    assert_int_equal(
        check_text("{\"exp\":1700000100.5,\"iat\":1699999999,\"sub\":\"\",\"permissions\":{}}"),
        ERR_NONE);
    assert_int_equal(check_text("{\"exp\":\"soon\",\"iat\":1,\"sub\":\"x\",\"permissions\":{}}"),
                     ERR_FORBIDDEN);
    assert_int_equal(check_text("{\"exp\":1e300,\"iat\":1,\"sub\":\"x\",\"permissions\":{}}"),
                     ERR_FORBIDDEN);
    assert_int_equal(check_text("{" TIMES ",\"nbf\":1700000100,\"sub\":\"x\",\"permissions\":{}}"),
                     ERR_UNAUTHORIZED);
    assert_int_equal(check_text("{" TIMES ",\"nbf\":1700000005,\"sub\":\"x\",\"permissions\":{}}"),
                     ERR_NONE);
    assert_int_equal(check_text("{\"exp\":1,\"iat\":1,\"sub\":\"x\",\"permissions\":{}}"),
                     ERR_UNAUTHORIZED);
}

static void test_keys_come_from_the_lines_of_a_file(void **state)
{
    char path[] = "/tmp/token-keys-XXXXXX";
    int fd = mkstemp(path);
    struct token_keys *keys;
    struct err err = ERR_INIT;
    char *token;

    (void)state;
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "\n%s\r\n\n%s", key_a, key_b) > 0);
    (void)close(fd);
    keys = token_keys_read(path, NULL);
    assert_non_null(keys);
    assert_int_equal(token_keys_shortest(keys), strlen(key_a));
    token = make(keys, "{}");
    token_keys_free(keys);
    keys = keys_of(key_a, NULL);
    assert_int_equal(verify_at(keys, token, NOW), ERR_NONE);
    token_keys_free(keys);
    free(token);
    assert_int_equal(truncate(path, 0), 0);
    assert_null(token_keys_read(path, &err));
    assert_int_equal(unlink(path), 0);
    assert_null(token_keys_read(path, &err));
}

static void test_a_short_key_is_refused(void **state)
{
    const char *const list[] = {"too-short"};
    struct err err = ERR_INIT;

    (void)state;
    assert_null(token_keys_new(list, 1, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(strstr(err.text, "too-short"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_carries_its_permissions_unchanged),
        cmocka_unit_test(test_it_is_valid_for_its_time_and_the_leeway),
        cmocka_unit_test(test_every_key_is_accepted_and_the_first_one_signs),
        cmocka_unit_test(test_a_changed_byte_spoils_the_token),
        cmocka_unit_test(test_a_token_of_another_implementation_is_read),
        cmocka_unit_test(test_only_the_pinned_algorithm_counts),
        cmocka_unit_test(test_required_claims_are_required),
        cmocka_unit_test(test_times_are_numbers_in_their_order),
        cmocka_unit_test(test_keys_come_from_the_lines_of_a_file),
        cmocka_unit_test(test_a_short_key_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
