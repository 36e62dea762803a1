/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_without_a_rate_nothing_waits(void **state)
{
    struct rate rate;

    (void)state;
    rate_init(&rate, 0, 5);
    rate_spend(&rate, SIZE_MAX);
    assert_int_equal(rate_wait_ms(&rate, 5), 0);
}

static void test_a_second_s_worth_may_go_out_at_once(void **state)
{
    struct rate rate;

    (void)state;
    rate_init(&rate, 1000, 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(rate_wait_ms(&rate, 0), 0);
        rate_spend(&rate, 100);
    }
    assert_int_equal(rate_wait_ms(&rate, 0), 1);
    assert_int_equal(rate_wait_ms(&rate, 1), 0);
}

static void test_a_large_piece_makes_the_next_one_wait(void **state)
{
    struct rate rate;

    (void)state;
    rate_init(&rate, 1000, 0);
    rate_spend(&rate, 5000);
    assert_int_equal(rate_wait_ms(&rate, 0), 4001);
    assert_int_equal(rate_wait_ms(&rate, 4000), 1);
    assert_int_equal(rate_wait_ms(&rate, 4001), 0);
}

static void test_the_rate_holds_over_time(void **state)
{
    struct rate rate;
    int64_t sent = 0;

    (void)state;
    rate_init(&rate, 1000, 0);
    for (int64_t now = 0; now < 100000; now++)
        if (rate_wait_ms(&rate, now) == 0) {
            rate_spend(&rate, 64);
            sent += 64;
        }
    assert_in_range(sent, 100000, 101064);
}

static void test_silence_is_not_made_up_for(void **state)
{
    struct rate rate;

    (void)state;
    rate_init(&rate, RATE_MAX, 0);
    assert_int_equal(rate_wait_ms(&rate, INT64_MAX), 0);
    assert_int_equal(rate.budget, RATE_MAX);
    rate_spend(&rate, (size_t)RATE_MAX + 1);
    assert_true(rate_wait_ms(&rate, INT64_MAX) > 0);
}

static void test_a_clock_that_goes_back_does_no_harm(void **state)
{
    struct rate rate;

    (void)state;
    rate_init(&rate, 1000, 1000);
    rate_spend(&rate, 1500);
    assert_int_equal(rate_wait_ms(&rate, 0), 501);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_rate_nothing_waits),
        cmocka_unit_test(test_a_second_s_worth_may_go_out_at_once),
        cmocka_unit_test(test_a_large_piece_makes_the_next_one_wait),
        cmocka_unit_test(test_the_rate_holds_over_time),
        cmocka_unit_test(test_silence_is_not_made_up_for),
        cmocka_unit_test(test_a_clock_that_goes_back_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
