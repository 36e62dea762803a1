/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_decoded(const char *text, const void *want, size_t len)
{
    struct buf b = BUF_INIT(100);

    assert_int_equal(base64_decode(text, strlen(text), &b), 0);
    assert_int_equal(b.len, len);
    assert_memory_equal(buf_text(&b), want, len);
    buf_done(&b);
}

static void test_texts_are_decoded_with_and_without_padding(void **state)
{
    (void)state;
    assert_decoded("", "", 0);
    assert_decoded("Zg==", "f", 1);
    assert_decoded("Zg", "f", 1);
    assert_decoded("b2s=", "ok", 2);
    assert_decoded("Zm9v", "foo", 3);
    assert_decoded("Zm9vYmFy", "foobar", 6);
    assert_decoded("AAECA//+", "\0\1\2\3\xff\xfe", 6);
}

static void test_what_is_not_base64_is_refused(void **state)
{
    static const char *const texts[] = {"Z", "Zm9vY", "Zm 9v", "Zm9v\n", "Z===", "Zm=v", "Zm9_"};
    struct buf b = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(base64_decode(texts[i], strlen(texts[i]), &b), -1);
    buf_done(&b);
}

static void test_a_result_too_long_for_its_buffer_is_refused(void **state)
{
    struct buf b = BUF_INIT(2);

    (void)state;
    assert_int_equal(base64_decode("Zm9v", 4, &b), -1);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_decoded_with_and_without_padding),
        cmocka_unit_test(test_what_is_not_base64_is_refused),
        cmocka_unit_test(test_a_result_too_long_for_its_buffer_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
