/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A clock that stands still until it is told. */
struct fake_clock {
    struct clock clock; /* first: the functions get a pointer to it */
    int64_t now_ms;
};

static int64_t fake_ms(const struct clock *clock)
{
    return ((const struct fake_clock *)(const void *)clock)->now_ms;
}

struct scene {
    struct fake_clock clock;
    struct reactor reactor;
    struct stop stop;
    int calls;
    enum stop_reason reason;
};

static void on_stop(void *arg, enum stop_reason reason)
{
    struct scene *s = arg;

    s->calls++;
    s->reason = reason;
}

static void scene_start(struct scene *s)
{
    *s = (struct scene){.clock = {.clock = {.monotonic_ms = fake_ms}, .now_ms = 1000}};
    s->reactor = (struct reactor)REACTOR_INIT(&s->clock.clock);
    s->stop.reactor = &s->reactor;
    s->stop.stop = on_stop;
    s->stop.arg = s;
}

static void pass(struct scene *s, int64_t ms)
{
    s->clock.now_ms += ms;
    assert_int_equal(reactor_round(&s->reactor, 0, NULL), 0);
}

static void test_the_smaller_limit_counts_and_defaults_fill_gaps(void **state)
{
    (void)state;
    assert_int_equal(stop_limit_s(10, 20, 30), 10);
    assert_int_equal(stop_limit_s(20, 10, 30), 10);
    assert_int_equal(stop_limit_s(0, 20, 30), 20);
    assert_int_equal(stop_limit_s(0, 50, 30), 30);
    assert_int_equal(stop_limit_s(50, 0, 30), 30);
    assert_int_equal(stop_limit_s(-5, 0, 30), 30);
}

static void test_the_global_limit_ends_a_phase_that_prints(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    stop_arm(&s.stop, PHASE_TEST, 3, 2);
    pass(&s, 1500);
    stop_touch(&s.stop);
    pass(&s, 1400);
    assert_int_equal(s.calls, 0);
    stop_touch(&s.stop);
    pass(&s, 200);
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.reason, STOP_GLOBAL_TIMEOUT);
}

static void test_silence_ends_a_test_once(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    stop_arm(&s.stop, PHASE_TEST, 100, 2);
    pass(&s, 2000);
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.reason, STOP_OUTPUT_TIMEOUT);
    pass(&s, 200000);
    assert_false(stop_ask(&s.stop, STOP_CANCELLED));
    assert_int_equal(s.calls, 1);
}

static void test_limits_apply_to_their_phases_only(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    stop_arm(&s.stop, PHASE_SETUP, 100, 2);
    pass(&s, 50000);
    assert_int_equal(s.calls, 0);
    stop_arm(&s.stop, PHASE_RESERVE, 100, 2);
    pass(&s, 1000000);
    assert_int_equal(s.calls, 0);
}

static void test_a_cancel_ends_all_phases_but_provision_and_cleanup(void **state)
{
    struct scene s;

    (void)state;
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        scene_start(&s);
        stop_arm(&s.stop, phase, 100, 100);
        assert_int_equal(stop_ask(&s.stop, STOP_CANCELLED),
                         phase != PHASE_PROVISION && phase != PHASE_CLEANUP);
        stop_disarm(&s.stop);
    }
}

static void test_after_disarming_nothing_is_stopped(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    stop_arm(&s.stop, PHASE_TEST, 1, 1);
    stop_disarm(&s.stop);
    stop_touch(&s.stop);
    pass(&s, 100000);
    assert_int_equal(s.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_smaller_limit_counts_and_defaults_fill_gaps),
        cmocka_unit_test(test_the_global_limit_ends_a_phase_that_prints),
        cmocka_unit_test(test_silence_ends_a_test_once),
        cmocka_unit_test(test_limits_apply_to_their_phases_only),
        cmocka_unit_test(test_a_cancel_ends_all_phases_but_provision_and_cleanup),
        cmocka_unit_test(test_after_disarming_nothing_is_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
