/* SPDX-License-Identifier: GPL-3.0-or-later
 * Random texts: length, alphabet, and that two are not the same. */
#include "server/crypto/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_text_has_its_length_and_url_safe_characters(void **state)
{
    char text[REFRESH_TOKEN_SIZE];

    (void)state;
    assert_int_equal(random_text(text, sizeof(text), NULL), 0);
    assert_int_equal(strlen(text), 48);
    assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_"),
                     48);
}

static void two_texts_differ(void **state)
{
    char one[REFRESH_TOKEN_SIZE], two[REFRESH_TOKEN_SIZE];

    (void)state;
    assert_int_equal(random_text(one, sizeof(one), NULL), 0);
    assert_int_equal(random_text(two, sizeof(two), NULL), 0);
    assert_string_not_equal(one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_its_length_and_url_safe_characters),
        cmocka_unit_test(two_texts_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
