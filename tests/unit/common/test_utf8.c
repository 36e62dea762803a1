/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_every_character_is_read_as_it_is_written(void **state)
{
    char bytes[4];

    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        size_t len = utf8_encode(code, bytes);

        assert_int_equal(utf8_char_len(bytes, len), len);
        if (len > 1) /* cut short it is none */
            assert_int_equal(utf8_char_len(bytes, len - 1), 0);
    }
}

static void test_what_is_no_character_is_written_as_the_replacement(void **state)
{
    static const uint32_t codes[] = {0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x110000, UINT32_MAX};
    char bytes[4];

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_int_equal(utf8_encode(codes[i], bytes), 3);
        assert_memory_equal(bytes, UTF8_REPLACEMENT, 3);
    }
}

static void test_other_bytes_are_no_character(void **state)
{
    static const char *const texts[] = {
        "\x80",         "\xBF",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFF",         "\xC3(",        "\xE2\x98(",        "\xF0\x9F\x98(",    ""};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(utf8_char_len(texts[i], strlen(texts[i])), 0);
}

static void test_characters_are_counted(void **state)
{
    (void)state;
    assert_int_equal(utf8_count("", 0), 0);
    assert_int_equal(utf8_count("abc", 3), 3);
    assert_int_equal(utf8_count("\xC3\xA9\xE2\x98\x83\xF0\x9F\x98\x80", 9), 3);
    assert_int_equal(utf8_count("a\xFF\xE2\x98", 4), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_character_is_read_as_it_is_written),
        cmocka_unit_test(test_what_is_no_character_is_written_as_the_replacement),
        cmocka_unit_test(test_other_bytes_are_no_character),
        cmocka_unit_test(test_characters_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
