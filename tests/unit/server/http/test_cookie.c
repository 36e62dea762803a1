/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *find(const char *header)
{
    static char value[64];
    int rc = cookie_find(header, "agent_name", value, sizeof(value), NULL);

    return rc == 1 ? value : rc == 0 ? "(none)" : "(bad)";
}

static void test_the_named_cookie_is_found_among_others(void **state)
{
    (void)state;
    assert_string_equal(find("agent_name=rpi4"), "rpi4");
    assert_string_equal(find("a=1; agent_name=rpi4 ; b=2"), "rpi4");
    assert_string_equal(find(" a=1;agent_name=rpi4;"), "rpi4");
    assert_string_equal(find("xagent_name=1; agent_names=2"), "(none)");
    assert_string_equal(find("agent_name"), "(none)");
    assert_string_equal(find("agent_name="), "");
    assert_string_equal(find(""), "(none)");
}

static void test_the_first_of_two_counts(void **state)
{
    (void)state;
    assert_string_equal(find("agent_name=one; agent_name=two"), "one");
}

static void test_quotes_and_escapes_are_undone(void **state)
{
    (void)state;
    assert_string_equal(find("agent_name=\"a b\""), "a b");
    assert_string_equal(find("agent_name=\"a\\\"b\\\\c\""), "a\"b\\c");
    assert_string_equal(find("agent_name=\"a\\054b\\073c\""), "a,b;c");
    assert_string_equal(find("agent_name=\"\\303\\251\""), "\xc3\xa9");
    assert_string_equal(find("agent_name=\"\\9\\12\""), "912");
    assert_string_equal(find("agent_name=\""), "\"");
    assert_string_equal(find("agent_name=\"\""), "");
    assert_string_equal(find("agent_name=\"a\\\""), "a\\");
}

static void test_what_is_no_text_is_refused(void **state)
{
    (void)state;
    assert_string_equal(find("agent_name=\"a\\000b\""), "(bad)");
    assert_string_equal(find("agent_name=\"\\377\""), "(bad)");
    assert_string_equal(find("agent_name="
                             "0123456789012345678901234567890123456789012345678901234567890123"),
                        "(bad)");
}

static void test_what_is_written_is_read_back(void **state)
{
    static const char *const values[] = {"rpi4-01", "a b", "a,b;c", "\"\\", "\xc3\xa9\n\x7f", ""};
    struct buf text = BUF_INIT(1000);
    char value[64];

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        buf_clear(&text);
        assert_int_equal(buf_adds(&text, "agent_name="), 0);
        assert_int_equal(cookie_add_value(&text, values[i]), 0);
        assert_int_equal(cookie_find(buf_text(&text), "agent_name", value, sizeof(value), NULL), 1);
        assert_string_equal(value, values[i]);
    }
    buf_done(&text);
}

static void test_harmless_names_stand_bare(void **state)
{
    struct buf text = BUF_INIT(1000);

    (void)state;
    assert_int_equal(cookie_add_value(&text, "a1_!#$%&'()*+-./:<=>?@^|{}~[]`"), 0);
    assert_string_equal(buf_text(&text), "a1_!#$%&'()*+-./:<=>?@^|{}~[]`");
    buf_clear(&text);
    assert_int_equal(cookie_add_value(&text, "a,b"), 0);
    assert_string_equal(buf_text(&text), "\"a\\054b\"");
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_named_cookie_is_found_among_others),
        cmocka_unit_test(test_the_first_of_two_counts),
        cmocka_unit_test(test_quotes_and_escapes_are_undone),
        cmocka_unit_test(test_what_is_no_text_is_refused),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_harmless_names_stand_bare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
