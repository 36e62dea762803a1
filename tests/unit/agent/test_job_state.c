/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/job_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Feeds the text in pieces of every size. */
static void check(const char *json, const char *expected)
{
    size_t len = strlen(json);

    for (size_t piece = 1; piece <= len; piece++) {
        struct job_state_scan scan = {0};

        for (size_t at = 0; at < len; at += piece)
            job_state_feed(&scan, json + at, len - at < piece ? len - at : piece);
        assert_string_equal(scan.state, expected);
    }
}

static void test_the_state_is_found_anywhere_in_the_result(void **state)
{
    (void)state;
    check("{\"job_state\":\"running\"}", "running");
    check("{ \"a\" : 1 , \"job_state\" : \"cancelled\" , \"b\" : [ \"x\" ] }", "cancelled");
    check("{\"test_status\":0,\"job_state\":\"test\"}", "test");
}

static void test_the_same_words_elsewhere_do_not_count(void **state)
{
    (void)state;
    check("{\"test_output\":\"\\\"job_state\\\":\\\"cancelled\\\"\"}", "");
    check("{\"device_info\":{\"job_state\":\"cancelled\"},\"job_state\":\"test\"}", "test");
    check("{\"a\":[\"job_state\",\"cancelled\"],\"job_state\":\"test\"}", "test");
    check("{\"a\":\"job_state\",\"b\":\"cancelled\"}", "");
    check("{\"x\":\"ends in backslash \\\\\",\"job_state\":\"test\"}", "test");
}

static void test_a_state_that_is_no_text_or_no_result_is_none(void **state)
{
    (void)state;
    check("{\"job_state\":null}", "");
    check("nonsense", "");
    check("[\"job_state\", \"x\"]", "");
}

static void test_final_states_are_told_apart(void **state)
{
    (void)state;
    assert_true(job_state_is_final("complete"));
    assert_true(job_state_is_final("completed"));
    assert_true(job_state_is_final("cancelled"));
    assert_false(job_state_is_final("cleanup"));
    assert_false(job_state_is_final(""));
    assert_true(job_state_is_cancelled("cancelled"));
    assert_false(job_state_is_cancelled("complete"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_state_is_found_anywhere_in_the_result),
        cmocka_unit_test(test_the_same_words_elsewhere_do_not_count),
        cmocka_unit_test(test_a_state_that_is_no_text_or_no_result_is_none),
        cmocka_unit_test(test_final_states_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
