/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_numbers_keep_all_64_bits(void **state)
{
    int64_t value = 0;

    (void)state;
    assert_int_equal(parse_int64("-9223372036854775808", INT64_MIN, INT64_MAX, &value, NULL), 0);
    assert_true(value == INT64_MIN);
    assert_int_equal(parse_int64("9223372036854775807", INT64_MIN, INT64_MAX, &value, NULL), 0);
    assert_true(value == INT64_MAX);
    assert_int_equal(parse_int64("9223372036854775808", INT64_MIN, INT64_MAX, &value, NULL), -1);
    assert_int_equal(parse_int64("-9223372036854775809", INT64_MIN, INT64_MAX, &value, NULL), -1);
    assert_true(value == INT64_MAX);
}

static void test_what_is_no_number_is_refused(void **state)
{
    static const char *const bad[] = {"", "-", "+", "1x", " 1", "1 ", "0x10", "1.0", "--1"};
    int64_t value = 7;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(parse_int64(bad[i], INT64_MIN, INT64_MAX, &value, NULL), -1);
    assert_int_equal(parse_int64("11", 0, 10, &value, NULL), -1);
    assert_int_equal(value, 7);
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } cases[] = {
        {"90", 90},        {"90s", 90},  {"1d5h30m", 106200}, {"1h 30m", 5400},
        {"2 hours", 7200}, {"1H", 3600}, {"1h1h", 7200},      {"0", 0},
        {" 5 min ", 300},  {"", -1},     {"-1", -1},          {"1x", -1},
        {"h", -1},         {"1h5", -1},  {"1.5h", -1},        {"9223372036854775807d", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds = -1;

        (void)parse_duration(cases[i].text, &seconds, NULL);
        if (seconds != cases[i].seconds)
            fail_msg("\"%s\" gave %lld", cases[i].text, (long long)seconds);
    }
}

static void test_every_spelling_of_a_uuid_is_the_same(void **state)
{
    static const char *const spellings[] = {
        "0190163d-8694-739b-aea5-966c26f8ad91",
        "0190163D-8694-739B-AEA5-966C26F8AD91",
        "0190163d8694739baea5966c26f8ad91",
        "{0190163d-8694-739b-aea5-966c26f8ad91}",
        "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91",
    };
    static const char *const bad[] = {
        "",
        "x",
        "0190163d-8694-739b-aea5-966c26f8ad9",
        "0190163d-8694-739b-aea5-966c26f8ad911",
        "0190163d-8694-739b-aea5-966c26f8ad9g",
        "{0190163d-8694-739b-aea5-966c26f8ad91",
    };
    char uuid[UUID_TEXT_SIZE] = "untouched";

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(parse_uuid(bad[i], strlen(bad[i]), uuid, NULL), -1);
    assert_string_equal(uuid, "untouched");
    for (size_t i = 0; i < COUNT(spellings); i++) {
        assert_int_equal(parse_uuid(spellings[i], strlen(spellings[i]), uuid, NULL), 0);
        assert_string_equal(uuid, spellings[0]);
    }
}

static void test_new_uuids_are_of_version_7_and_ordered(void **state)
{
    char first[UUID_TEXT_SIZE];
    char second[UUID_TEXT_SIZE];

    (void)state;
    assert_int_equal(uuid_make(1700000000000000, first, NULL), 0);
    assert_int_equal(uuid_make(1700000000001000, second, NULL), 0);
    assert_int_equal(first[14], '7');
    assert_true(first[19] == '8' || first[19] == '9' || first[19] == 'a' || first[19] == 'b');
    assert_true(strcmp(first, second) < 0);
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } cases[] = {
        {"1970-01-01T00:00:01Z", 1000000},
        {"1970-01-01T00:00:01", 1000000},
        {"1970-01-01 00:00:01.5", 1500000},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1970-01-01T00:00:00.123456789+00:00", 123456},
        {"2026-01-31T12:34:56.789012+00:00", 1769862896789012},
        {"2024-02-30T00:00:00Z", -1},
        {"2024-01-01", -1},
        {"2024-01-01T25:00:00Z", -1},
        {"2024-01-01T00:00:00Zx", -1},
        {"", -1},
        {"now", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t us = -1;

        (void)parse_time(cases[i].text, &us, NULL);
        if (us != cases[i].us)
            fail_msg("\"%s\" gave %lld", cases[i].text, (long long)us);
    }
}

static void test_utf8(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", true},
        {"\xc0\xaf", false},         /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
        {"\xe2\x82", false},         /* cut */
        {"\x80", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(parse_utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    assert_true(parse_utf8_valid("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_keep_all_64_bits),
        cmocka_unit_test(test_what_is_no_number_is_refused),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_every_spelling_of_a_uuid_is_the_same),
        cmocka_unit_test(test_new_uuids_are_of_version_7_and_ordered),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
