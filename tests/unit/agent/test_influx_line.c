/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/influx_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_line(const struct influx_point *point, const char *line)
{
    struct buf text = BUF_INIT(100000);

    assert_int_equal(influx_add_line(&text, point), 0);
    assert_string_equal(buf_text(&text), line);
    buf_done(&text);
}

static void a_state_has_no_result_and_an_end_has_one(void **state)
{
    (void)state;
    assert_line(&(struct influx_point){"a1", "waiting", -1, 1700000000000001},
                "phase\\ result,agent=a1 phase=\"waiting\" 1700000000000001000\n");
    assert_line(&(struct influx_point){"a1", "test", 0, 1},
                "phase\\ result,agent=a1 phase=\"test\",result=0i 1000\n");
    assert_line(&(struct influx_point){"a1", "test", 137, 1},
                "phase\\ result,agent=a1 phase=\"test\",result=137i 1000\n");
}

static void names_cannot_add_tags_fields_or_lines(void **state)
{
    (void)state;
    assert_line(&(struct influx_point){"a b,c=d\ne\xc3\xa9", "x", -1, 1},
                "phase\\ result,agent=a\\ b\\,c\\=d\\ e\xc3\xa9 phase=\"x\" 1000\n");
    assert_line(&(struct influx_point){"a\\b\\\\", "x", -1, 1},
                "phase\\ result,agent=a\\b phase=\"x\" 1000\n");
    assert_line(&(struct influx_point){"\\", "x", -1, 1},
                "phase\\ result,agent=- phase=\"x\" 1000\n");
    assert_line(&(struct influx_point){"a\xff", "x", -1, 1},
                "phase\\ result,agent=a\xEF\xBF\xBD phase=\"x\" 1000\n");
    assert_line(&(struct influx_point){"a", "q\"u\\o\nte", -1, 1},
                "phase\\ result,agent=a phase=\"q\\\"u\\\\o\nte\" 1000\n");
}

static void a_full_buffer_keeps_whole_lines(void **state)
{
    const struct influx_point point = {"a1", "test", 0, 1};
    struct buf text = BUF_INIT(100);
    size_t len;

    (void)state;
    assert_int_equal(influx_add_line(&text, &point), 0);
    len = text.len;
    assert_int_equal(influx_add_line(&text, &point), -1);
    assert_int_equal(text.len, len);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_has_no_result_and_an_end_has_one),
        cmocka_unit_test(names_cannot_add_tags_fields_or_lines),
        cmocka_unit_test(a_full_buffer_keeps_whole_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
