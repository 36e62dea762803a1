/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void read_pace(const char *headers, struct pace *pace)
{
    struct fetch_reply reply;

    fetch_reply_init(&reply, 16);
    (void)buf_adds(&reply.headers, headers);
    pace_of(&reply, pace);
    fetch_reply_done(&reply);
}

static void test_headers_are_read(void **state)
{
    static const struct {
        const char *headers;
        int64_t accept_wait_s, retry_after_s;
    } rows[] = {
        {"", 0, 0},
        {"HTTP/1.1 204 No Content\r\nAccept-Wait: 300\r\nretry-after: 7\r\n\r\n", 300, 7},
        {"HTTP/1.1 204 No Content\r\nAccept-Wait: 3000\r\nRetry-After: 999999\r\n\r\n", 300, 300},
        {"HTTP/1.1 204 No Content\r\nAccept-Wait: 0\r\nRetry-After: -1\r\n\r\n", 0, 0},
        {"HTTP/1.1 204 No Content\r\nAccept-Wait: yes\r\nRetry-After: 99999999999999999999\r\n\r\n",
         0, 0},
        {"HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n", 0, 0},
    };
    struct pace pace;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_pace(rows[i].headers, &pace);
        assert_int_equal(pace.accept_wait_s, rows[i].accept_wait_s);
        assert_int_equal(pace.retry_after_s, rows[i].retry_after_s);
    }
}

static void test_what_is_waited_is_spread_over_a_quarter(void **state)
{
    (void)state;
    assert_int_equal(pace_spread_ms(1000, 0), 1000);
    assert_int_equal(pace_spread_ms(1000, 250), 1250);
    assert_int_equal(pace_spread_ms(1000, 251), 1000);
    assert_int_equal(pace_spread_ms(0, 12345), 0);
    for (int i = 0; i < 1000; i++) {
        int64_t ms = pace_spread_ms(1000, pace_random());

        assert_in_range(ms, 1000, 1250);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_are_read),
        cmocka_unit_test(test_what_is_waited_is_spread_over_a_quarter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
