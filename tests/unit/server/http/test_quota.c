/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_each_has_its_places(void **state)
{
    struct quota *quota = quota_new(2, NULL);
    uint64_t one = quota_who("one", NULL), two = quota_who("two", NULL);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(quota_take(quota, one, NULL), 0);
    assert_int_equal(quota_take(quota, one, NULL), 0);
    assert_int_equal(quota_take(quota, one, &err), -1);
    assert_int_equal(err.code, ERR_TOO_MANY);
    assert_int_equal(quota_take(quota, two, NULL), 0);
    quota_give(quota, one);
    assert_int_equal(quota_take(quota, one, NULL), 0);
    assert_int_equal(quota_take(quota, one, NULL), -1);
    for (int i = 0; i < 2; i++)
        quota_give(quota, one);
    quota_give(quota, two);
    quota_free(quota);
}

static void test_names_are_told_apart(void **state)
{
    (void)state;
    assert_true(quota_who("a", NULL) != quota_who("a", ""));
    assert_true(quota_who("a", "b") != quota_who("ab", NULL));
    assert_true(quota_who("a", "b") != quota_who("ab", ""));
    assert_true(quota_who("a", "b") == quota_who("a", "b"));
}

static void test_without_a_quota_there_is_no_limit(void **state)
{
    (void)state;
    assert_int_equal(quota_take(NULL, 1, NULL), 0);
    quota_give(NULL, 1);
    quota_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_has_its_places),
        cmocka_unit_test(test_names_are_told_apart),
        cmocka_unit_test(test_without_a_quota_there_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
