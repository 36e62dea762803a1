/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/err.h"
#include "common/log.h"
#include "common/names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_setting_returns_failure_and_says_why(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(err_set(&err, ERR_NOT_FOUND, "no job \"%s\"", "x"), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.text, "no job \"x\"");
    assert_int_equal(err_prefix(&err, "agent %d", 7), -1);
    assert_string_equal(err.text, "agent 7: no job \"x\"");
    assert_int_equal(err_set_errno(&err, ENOENT, "could not open"), -1);
    assert_string_equal(err.text, "could not open: No such file or directory");
    assert_int_equal(err_set(NULL, ERR_INVALID, "nobody asks"), -1);
}

static void test_long_texts_are_cut_not_overrun(void **state)
{
    struct err err = ERR_INIT;
    char text[ERR_TEXT_SIZE * 2];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)err_set(&err, ERR_INVALID, "%s", text);
    (void)err_prefix(&err, "%s", text);
    (void)err_set_errno(&err, ENOENT, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_SIZE - 1);
}

static void test_sqlstates_name_the_errors_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(err_from_sqlstate("TF409"), ERR_CONFLICT);
    assert_int_equal(err_from_sqlstate("23505"), ERR_NONE);
    assert_int_equal(err_from_sqlstate(""), ERR_NONE);
    assert_int_equal(err_http_status(ERR_CONFLICT), 409);
}

static void test_log_values_cannot_forge_a_line(void **state)
{
    (void)state;
    assert_string_equal(LOG_VALUE("plain"), "plain");
    assert_string_equal(LOG_VALUE(""), "\"\"");
    assert_string_equal(LOG_VALUE("a b"), "\"a b\"");
    assert_string_equal(LOG_VALUE("a\nlevel=info"), "\"a\\x0alevel=info\"");
    assert_string_equal(LOG_VALUE("say \"hi\" \\"), "\"say \\\"hi\\\" \\\\\"");
}

static void test_names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < PHASE_COUNT; i++)
        assert_int_equal(phase_from_name(phase_name((enum phase)i)), i);
    assert_int_equal(phase_from_name("dancing"), -1);
    assert_int_equal(role_from_name("admin"), ROLE_ADMIN);
    assert_int_equal(role_from_name("none"), ROLE_NONE);
    assert_true(ROLE_ADMIN > ROLE_MANAGER && ROLE_MANAGER > ROLE_CONTRIBUTOR &&
                ROLE_CONTRIBUTOR > ROLE_AGENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setting_returns_failure_and_says_why),
        cmocka_unit_test(test_long_texts_are_cut_not_overrun),
        cmocka_unit_test(test_sqlstates_name_the_errors_of_the_table),
        cmocka_unit_test(test_log_values_cannot_forge_a_line),
        cmocka_unit_test(test_names_go_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
