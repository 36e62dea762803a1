/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/crypto/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_a_secret_matches_its_own_hash_only(void **state)
{
    char hash[PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(password_hash("open sesame", PASSWORD_COST_MIN, hash, NULL), 0);
    assert_memory_equal(hash, "$2b$04$", 7);
    assert_true(password_matches("open sesame", hash, PASSWORD_COST_MIN));
    assert_false(password_matches("open sesam", hash, PASSWORD_COST_MIN));
    assert_false(password_matches("", hash, PASSWORD_COST_MIN));
}

static void test_two_hashes_of_one_secret_differ(void **state)
{
    char first[PASSWORD_HASH_SIZE], second[PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(password_hash("x", PASSWORD_COST_MIN, first, NULL), 0);
    assert_int_equal(password_hash("x", PASSWORD_COST_MIN, second, NULL), 0);
    assert_string_not_equal(first, second);
}

static void test_a_known_hash_of_another_program_matches(void **state)
{
    (void)state;
    assert_true(
        password_matches("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", 4));
}

static void test_nothing_matches_a_client_that_is_not_there(void **state)
{
    static const char *const hashes[] = {NULL, "", "*0", "$2b$04$short", "plain text of old"};

    (void)state;
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        assert_false(password_matches("", hashes[i], PASSWORD_COST_MIN));
        assert_false(password_matches("secret", hashes[i], PASSWORD_COST_MIN));
    }
}

static void test_what_bcrypt_would_ignore_is_refused(void **state)
{
    char secret[PASSWORD_MAX_BYTES + 2], hash[PASSWORD_HASH_SIZE];
    struct err err = ERR_INIT;

    (void)state;
    memset(secret, 'x', sizeof(secret));
    secret[PASSWORD_MAX_BYTES] = '\0';
    assert_int_equal(password_hash(secret, PASSWORD_COST_MIN, hash, NULL), 0);
    assert_true(password_matches(secret, hash, PASSWORD_COST_MIN));
    secret[PASSWORD_MAX_BYTES] = 'x';
    secret[PASSWORD_MAX_BYTES + 1] = '\0';
    assert_false(password_matches(secret, hash, PASSWORD_COST_MIN));
    assert_int_equal(password_hash(secret, PASSWORD_COST_MIN, hash, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_secret_matches_its_own_hash_only),
        cmocka_unit_test(test_two_hashes_of_one_secret_differ),
        cmocka_unit_test(test_a_known_hash_of_another_program_matches),
        cmocka_unit_test(test_nothing_matches_a_client_that_is_not_there),
        cmocka_unit_test(test_what_bcrypt_would_ignore_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
