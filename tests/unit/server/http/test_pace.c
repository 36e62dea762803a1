/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SLOW_US (2 * PACE_LOADED_US)
#define FAST_US (PACE_LOADED_US / 100)

/* Polls for so many seconds, ten each second. */
static void poll_for(struct pace *p, int64_t *now_ms, int seconds, int64_t took_us)
{
    for (int i = 0; i < seconds * 10; i++)
        pace_note(p, *now_ms += 100, took_us);
}

static void test_nobody_is_asked_for_a_pause_while_answers_are_quick(void **state)
{
    struct pace p = {.since_ms = 0};
    int64_t now_ms = 5000;

    (void)state;
    assert_int_equal(pace_tell(&p), 0);
    poll_for(&p, &now_ms, 10, FAST_US);
    assert_int_equal(pace_tell(&p), 0);
    poll_for(&p, &now_ms, 10, PACE_LOADED_US - 1);
    assert_int_equal(pace_tell(&p), 0);
}

static void test_one_slow_answer_among_many_is_no_load(void **state)
{
    struct pace p = {.since_ms = 0};
    int64_t now_ms = 5000;

    (void)state;
    poll_for(&p, &now_ms, 1, FAST_US);
    pace_note(&p, now_ms, SLOW_US);
    poll_for(&p, &now_ms, 1, FAST_US);
    assert_int_equal(pace_tell(&p), 0);
}

static void test_pauses_grow_while_they_have_no_effect_up_to_a_bound(void **state)
{
    struct pace p = {.since_ms = 0};
    int64_t now_ms = 5000;

    (void)state;
    poll_for(&p, &now_ms, 1, SLOW_US);
    assert_int_equal(pace_tell(&p), 15);
    poll_for(&p, &now_ms, 13, SLOW_US);
    assert_int_equal(p.pause_ms, 15000);
    poll_for(&p, &now_ms, 3, SLOW_US);
    assert_int_equal(p.pause_ms, 30000);
    poll_for(&p, &now_ms, 300, SLOW_US);
    assert_int_equal(p.pause_ms, PACE_MOST_MS);
}

static void test_pauses_shrink_when_the_load_has_gone(void **state)
{
    struct pace p = {.since_ms = 0};
    int64_t now_ms = 5000;

    (void)state;
    poll_for(&p, &now_ms, 60, SLOW_US);
    assert_int_equal(p.pause_ms, PACE_MOST_MS);
    poll_for(&p, &now_ms, 20, PACE_LOADED_US * 3 / 4);
    assert_int_equal(p.pause_ms, PACE_MOST_MS);
    poll_for(&p, &now_ms, 20, FAST_US);
    assert_in_range(p.pause_ms, 54000, 56000);
    pace_note(&p, now_ms += 3600 * 1000, FAST_US);
    assert_int_equal(p.pause_ms, 0);
    assert_int_equal(pace_tell(&p), 0);
    poll_for(&p, &now_ms, 1, SLOW_US);
    assert_int_equal(p.pause_ms, PACE_LEAST_MS);
}

static void test_who_is_told_at_one_moment_does_not_come_back_at_one_moment(void **state)
{
    struct pace p = {.pause_ms = 40000};
    int told[21] = {0};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        int seconds = pace_tell(&p);

        assert_in_range(seconds, 40, 60);
        told[seconds - 40]++;
    }
    for (int i = 0; i < 20; i++)
        assert_in_range(told[i], 90, 110);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_is_asked_for_a_pause_while_answers_are_quick),
        cmocka_unit_test(test_one_slow_answer_among_many_is_no_load),
        cmocka_unit_test(test_pauses_grow_while_they_have_no_effect_up_to_a_bound),
        cmocka_unit_test(test_pauses_shrink_when_the_load_has_gone),
        cmocka_unit_test(test_who_is_told_at_one_moment_does_not_come_back_at_one_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
