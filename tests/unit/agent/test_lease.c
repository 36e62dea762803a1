/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A clock that stands still until it is told. */
struct fake_clock {
    struct clock clock; /* first: the functions get a pointer to it */
    int64_t now_ms;
    int64_t real_us;
};

static int64_t fake_ms(const struct clock *clock)
{
    return ((const struct fake_clock *)(const void *)clock)->now_ms;
}

static int64_t fake_us(const struct clock *clock)
{
    return ((const struct fake_clock *)(const void *)clock)->real_us;
}

struct scene {
    struct fake_clock clock;
    struct reactor reactor;
    struct lease lease;
    int renewals, silences;
    int64_t heard_ms;
};

static void on_renew(void *arg)
{
    ((struct scene *)arg)->renewals++;
}

static void on_silent(void *arg)
{
    ((struct scene *)arg)->silences++;
}

static int64_t heard_ms(void *arg)
{
    return ((const struct scene *)arg)->heard_ms;
}

static void begin(struct scene *s, int64_t seconds, int64_t stop_after, int64_t first_ms)
{
    const struct lease_user user = {on_renew, on_silent, heard_ms, s};
    const struct record_lease granted = {
        .token = "t", .seconds = seconds, .stop_after = stop_after};

    *s = (struct scene){
        .clock = {.clock = {.monotonic_ms = fake_ms, .realtime_us = fake_us}, .now_ms = 1000},
        .heard_ms = 1000};
    s->reactor = (struct reactor)REACTOR_INIT(&s->clock.clock);
    lease_begin(&s->lease, &s->reactor, &granted, &user, first_ms);
}

static void pass(struct scene *s, int64_t ms)
{
    s->clock.now_ms += ms;
    assert_int_equal(reactor_round(&s->reactor, 0, NULL), 0);
}

static void test_a_renewal_is_due_at_each_third(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 60, 0, -1);
    pass(&s, 19999);
    assert_int_equal(s.renewals, 0);
    pass(&s, 1);
    assert_int_equal(s.renewals, 1);
    pass(&s, 19999);
    assert_int_equal(s.renewals, 1);
    pass(&s, 1);
    assert_int_equal(s.renewals, 2);
    lease_end(&s.lease);
}

static void test_an_old_lease_is_renewed_at_once(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 60, 0, 0);
    pass(&s, 0);
    assert_int_equal(s.renewals, 1);
    pass(&s, 20000);
    assert_int_equal(s.renewals, 2);
    lease_end(&s.lease);
}

static void test_one_that_failed_is_repeated_soon_but_not_sooner_than_in_a_second(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 60, 0, -1);
    pass(&s, 20000);
    lease_failed(&s.lease);
    pass(&s, 4999);
    assert_int_equal(s.renewals, 1);
    pass(&s, 1);
    assert_int_equal(s.renewals, 2);
    pass(&s, 19999); /* this one was answered */
    assert_int_equal(s.renewals, 2);
    pass(&s, 1);
    assert_int_equal(s.renewals, 3);
    lease_end(&s.lease);
    begin(&s, 6, 0, -1);
    pass(&s, 2000);
    lease_failed(&s.lease);
    pass(&s, 999);
    assert_int_equal(s.renewals, 1);
    pass(&s, 1);
    assert_int_equal(s.renewals, 2);
    lease_end(&s.lease);
}

static void test_a_failure_never_puts_the_next_one_off(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 60, 0, -1);
    pass(&s, 20000);
    pass(&s, 16000); /* a request that ran into its time-out */
    lease_failed(&s.lease);
    pass(&s, 4000);
    assert_int_equal(s.renewals, 2);
    lease_end(&s.lease);
}

static void test_silence_is_counted_from_the_last_reply(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 30, 100, -1);
    pass(&s, 60000);
    s.heard_ms = s.clock.now_ms; /* whatever it was about */
    pass(&s, 40000);
    assert_int_equal(s.silences, 0);
    pass(&s, 59999);
    assert_int_equal(s.silences, 0);
    pass(&s, 1);
    assert_int_equal(s.silences, 1);
    pass(&s, 1000000);
    assert_int_equal(s.silences, 1);
    lease_end(&s.lease);
}

static void test_without_a_limit_silence_ends_nothing(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 30, 0, -1);
    pass(&s, INT64_C(1) << 40);
    assert_int_equal(s.silences, 0);
    lease_end(&s.lease);
}

static void test_a_jump_of_the_wall_clock_changes_nothing(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 60, 100, -1);
    s.clock.real_us = INT64_C(86400000000) * 365;
    pass(&s, 19999);
    s.clock.real_us = -1;
    assert_int_equal(s.renewals + s.silences, 0);
    pass(&s, 1);
    assert_int_equal(s.renewals, 1);
    lease_end(&s.lease);
}

static void test_after_the_end_nothing_happens(void **state)
{
    struct scene s;
    struct lease never = {.reactor = NULL};

    (void)state;
    lease_end(&never);
    begin(&s, 30, 100, -1);
    lease_end(&s.lease);
    lease_failed(&s.lease);
    pass(&s, INT64_C(1) << 40);
    assert_int_equal(s.renewals + s.silences, 0);
    assert_null(s.reactor.timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_renewal_is_due_at_each_third),
        cmocka_unit_test(test_an_old_lease_is_renewed_at_once),
        cmocka_unit_test(test_one_that_failed_is_repeated_soon_but_not_sooner_than_in_a_second),
        cmocka_unit_test(test_a_failure_never_puts_the_next_one_off),
        cmocka_unit_test(test_silence_is_counted_from_the_last_reply),
        cmocka_unit_test(test_without_a_limit_silence_ends_nothing),
        cmocka_unit_test(test_a_jump_of_the_wall_clock_changes_nothing),
        cmocka_unit_test(test_after_the_end_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
