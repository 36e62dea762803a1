/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum range_kind ask(const char *method, const char *range, const char *if_range,
                           int64_t size, struct byte_range *ret_range)
{
    const struct pair headers[] = {{"range", range}, {"if-range", if_range}};
    const struct request req = {
        .method = method, .headers = headers, .header_count = if_range ? 2 : 1};

    return request_range(&req, "cafe", size, ret_range);
}

static void one_range_of_bytes_is_cut_to_what_is_there(void **state)
{
    static const struct {
        const char *text;
        int64_t size, first, last;
    } cases[] = {
        {"bytes=0-0", 10, 0, 0},
        {"bytes=0-9", 10, 0, 9},
        {"bytes=3-5", 10, 3, 5},
        {"bytes=9-", 10, 9, 9},
        {"bytes=0-", 10, 0, 9},
        {"bytes=3-99", 10, 3, 9},
        {"bytes=3-99999999999999999999999", 10, 3, 9},
        {"bytes=-1", 10, 9, 9},
        {"bytes=-10", 10, 0, 9},
        {"bytes=-99999999999999999999999", 10, 0, 9},
        {"BYTES= 3-5 ", 10, 3, 5},
        {"bytes=007-8", 10, 7, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct byte_range range = {-7, -7};

        assert_int_equal(ask("GET", cases[i].text, NULL, cases[i].size, &range), RANGE_PART);
        assert_int_equal(range.first, cases[i].first);
        assert_int_equal(range.last, cases[i].last);
    }
}

static void what_lies_behind_the_end_is_not_there(void **state)
{
    struct byte_range range;

    (void)state;
    assert_int_equal(ask("GET", "bytes=10-", NULL, 10, &range), RANGE_NONE);
    assert_int_equal(ask("GET", "bytes=10-20", NULL, 10, &range), RANGE_NONE);
    assert_int_equal(ask("GET", "bytes=9223372036854775807-", NULL, 10, &range), RANGE_NONE);
    assert_int_equal(ask("GET", "bytes=-0", NULL, 10, &range), RANGE_NONE);
    assert_int_equal(ask("GET", "bytes=0-", NULL, 0, &range), RANGE_NONE);
    assert_int_equal(ask("GET", "bytes=-5", NULL, 0, &range), RANGE_NONE);
}

static void what_is_no_range_of_ours_is_no_range(void **state)
{
    static const char *const cases[] = {
        "",           "bytes",       "bytes=",        "bytes=-",
        "bytes=5-3",  "bytes=a-b",   "bytes=1-2,4-5", "bytes=1-2,",
        "bytes=1--2", "bytes=--2",   "bytes=+1-2",    "bytes=1",
        "items=0-5",  "bytes:0-5",   "bytes=0x1-5",   "bytes=1-2 junk",
        "bytes =1-2", "bytes=1 - 2",
    };
    struct byte_range range;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ask("GET", cases[i], NULL, 10, &range), RANGE_WHOLE);
    assert_int_equal(ask("HEAD", "bytes=0-5", NULL, 10, &range), RANGE_WHOLE);
}

static void a_range_of_another_version_is_no_range(void **state)
{
    static const char *const others[] = {
        "\"beef\"",           "W/\"cafe\"", "cafe", "\"cafe",
        "\"cafe\", \"beef\"", "",           "*",    "Sat, 31 Jan 2026 12:00:00 GMT"};
    struct byte_range range;

    (void)state;
    assert_int_equal(ask("GET", "bytes=0-5", "\"cafe\"", 10, &range), RANGE_PART);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(ask("GET", "bytes=0-5", others[i], 10, &range), RANGE_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_of_bytes_is_cut_to_what_is_there),
        cmocka_unit_test(what_lies_behind_the_end_is_not_there),
        cmocka_unit_test(what_is_no_range_of_ours_is_no_range),
        cmocka_unit_test(a_range_of_another_version_is_no_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
