/* SPDX-License-Identifier: GPL-3.0-or-later
 * Who is woken by what, and that nobody is forgotten between a look and the parking. */
#include "server/http/park.h"

#include "common/clock.h"
#include "server/metrics.h"
#include "server/wake.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct waiter {
    struct parked parked; /* first */
    int woken;
};

struct yard {
    struct metrics *metrics;
    struct park *park;
    struct waiter waiters[8];
};

static void count(struct parked *one)
{
    ((struct waiter *)one)->woken++;
}

static int set_up(void **state)
{
    struct yard *y = calloc(1, sizeof(*y));

    assert_non_null(y);
    y->metrics = metrics_new(1, &clock_system, NULL);
    y->park = park_new(y->metrics, NULL);
    for (size_t i = 0; i < 8; i++) {
        y->waiters[i].parked.woken = count;
        y->waiters[i].parked.deadline_ms = y->waiters[i].parked.look_ms = INT64_MAX;
    }
    *state = y;
    return 0;
}

static int tear_down(void **state)
{
    struct yard *y = *state;

    park_close(y->park);
    assert_int_equal(metrics_get(y->metrics, METRIC_PARKED), 0);
    park_free(y->park);
    metrics_free(y->metrics);
    free(y);
    return 0;
}

static void park_under(struct yard *y, int n, uint64_t key, bool in_turn)
{
    const struct park_key keys[] = {{key, in_turn}, {key + 1000000, false}};

    assert_int_equal(park_add(y->park, &y->waiters[n].parked, keys, 2, park_mark(y->park)),
                     PARK_WAITS);
}

static void test_a_key_wakes_those_who_wait_for_it_once(void **state)
{
    struct yard *y = *state;

    park_under(y, 0, 1, false);
    park_under(y, 1, 1, false);
    park_under(y, 2, 4097, false); /* in the same bucket */
    assert_int_equal(metrics_get(y->metrics, METRIC_PARKED), 3);
    park_wake(y->park, 1);
    park_wake(y->park, 1);
    assert_int_equal(y->waiters[0].woken, 1);
    assert_int_equal(y->waiters[1].woken, 1);
    assert_int_equal(y->waiters[2].woken, 0);
    assert_false(y->waiters[0].parked.over);
    park_wake(y->park, 4097 + 1000000);
    assert_int_equal(y->waiters[2].woken, 1);
}

static void test_a_change_since_the_look_began_is_not_missed(void **state)
{
    struct yard *y = *state;
    const struct park_key key = {5, false};
    uint64_t mark = park_mark(y->park);

    park_wake(y->park, 5);
    assert_int_equal(park_add(y->park, &y->waiters[0].parked, &key, 1, mark), PARK_CHANGED);
    assert_int_equal(park_add(y->park, &y->waiters[0].parked, &key, 1, park_mark(y->park)),
                     PARK_WAITS);
    mark = park_mark(y->park);
    park_wake_all(y->park);
    assert_int_equal(y->waiters[0].woken, 1);
    assert_int_equal(park_add(y->park, &y->waiters[0].parked, &key, 1, mark), PARK_CHANGED);
}

static void test_who_leaves_is_not_woken(void **state)
{
    struct yard *y = *state;
    const struct park_key key = {5, false};
    atomic_bool gone = false;

    park_under(y, 0, 5, true);
    assert_true(park_leave(y->park, &y->waiters[0].parked));
    assert_false(park_leave(y->park, &y->waiters[0].parked));
    park_wake(y->park, 5);
    assert_int_equal(y->waiters[0].woken, 0);
    y->waiters[1].parked.gone = &gone;
    atomic_store(&gone, true);
    assert_int_equal(park_add(y->park, &y->waiters[1].parked, &key, 1, park_mark(y->park)),
                     PARK_GONE);
}

static void test_time_wakes_too(void **state)
{
    struct yard *y = *state;
    const struct park_key key = {5, false};

    y->waiters[0].parked.deadline_ms = 1000;
    y->waiters[1].parked.look_ms = 1000;
    for (int i = 0; i < 3; i++)
        park_under(y, i, 5, false);
    park_sweep(y->park, 999);
    assert_int_equal(y->waiters[0].woken + y->waiters[1].woken, 0);
    park_sweep(y->park, 1000);
    assert_int_equal(y->waiters[0].woken, 1);
    assert_true(y->waiters[0].parked.over);
    assert_int_equal(y->waiters[1].woken, 1);
    assert_false(y->waiters[1].parked.over);
    assert_int_equal(y->waiters[2].woken, 0);
    assert_int_equal(park_add(y->park, &y->waiters[0].parked, &key, 1, park_mark(y->park)),
                     PARK_OVER);
}

static void test_the_end_wakes_everybody_for_good(void **state)
{
    struct yard *y = *state;
    const struct park_key key = {5, false};

    park_under(y, 0, 5, true);
    park_close(y->park);
    assert_int_equal(y->waiters[0].woken, 1);
    assert_true(y->waiters[0].parked.over);
    assert_int_equal(park_add(y->park, &y->waiters[1].parked, &key, 1, park_mark(y->park)),
                     PARK_OVER);
    assert_int_equal(park_add(NULL, &y->waiters[2].parked, &key, 1, park_mark(NULL)), PARK_OVER);
}

static void assert_woken(const struct yard *y, const char *counts)
{
    for (int i = 0; counts[i]; i++)
        assert_int_equal(y->waiters[i].woken, counts[i] - '0');
}

/* Waiters 0 to 2 are of one group, 3 of another one. */
static void park_groups(struct yard *y)
{
    for (int i = 0; i < 4; i++) {
        y->waiters[i].parked.group = i < 3 ? 77 : 77 + 4096;
        park_under(y, i, 5, true);
    }
}

static void test_of_a_group_one_after_the_other_is_woken(void **state)
{
    struct yard *y = *state;

    park_groups(y);
    park_wake(y->park, 5);
    assert_woken(y, "1001");
    park_pass(y->park, 77, y->waiters[0].parked.chain);
    assert_woken(y, "1101");
    park_wake(y->park, 5);
    assert_woken(y, "1111");
    park_pass(y->park, 77, y->waiters[2].parked.chain);
    assert_woken(y, "1111");
}

/* Each of many that look now and then, and find jobs for others only, would else wake them all. */
static void test_who_was_not_woken_by_a_key_does_not_hand_on(void **state)
{
    struct yard *y = *state;

    y->waiters[0].parked.look_ms = 1000;
    park_groups(y);
    park_sweep(y->park, 1000);
    assert_woken(y, "1000");
    park_pass(y->park, 77, y->waiters[0].parked.chain);
    assert_woken(y, "1000");
}

/* What is there for the group, one of it finds out, and hands on. */
static void test_the_first_of_a_group_looks_for_all(void **state)
{
    struct yard *y = *state;

    for (int i = 0; i < 4; i++) {
        y->waiters[i].parked.group_look_ms = 1000;
        y->waiters[i].parked.group_every_ms = 500;
    }
    park_groups(y);
    park_sweep(y->park, 999);
    assert_woken(y, "0000");
    park_sweep(y->park, 1000);
    assert_woken(y, "1001");
    park_sweep(y->park, 1499);
    assert_woken(y, "1001");
    park_pass(y->park, 77, y->waiters[0].parked.chain);
    assert_woken(y, "1101");
    park_sweep(y->park, 1500);
    assert_woken(y, "1111");
}

static void test_handing_on_does_not_come_round(void **state)
{
    struct yard *y = *state;

    park_groups(y);
    park_wake(y->park, 5);
    for (int i = 0; i < 3; i++) { /* each finds nothing for itself, and waits again */
        uint64_t chain = y->waiters[i].parked.chain;

        park_pass(y->park, 77, chain);
        park_under(y, i, 5, true);
    }
    assert_woken(y, "1111");
    park_wake(y->park, 5);
    assert_woken(y, "2111");
}

static void test_other_keys_wake_a_whole_group(void **state)
{
    struct yard *y = *state;

    park_groups(y);
    park_wake(y->park, 5 + 1000000);
    assert_woken(y, "1111");
    park_groups(y);
    park_wake_all(y->park);
    assert_woken(y, "2222");
}

static void *wake_often(void *arg)
{
    struct yard *y = arg;

    for (int i = 0; i < 20000; i++)
        park_wake(y->park, (uint64_t)(i % 3));
    return NULL;
}

/* Each round parks or is told to look again; who is neither woken nor refused would hang. */
static void test_looks_and_changes_at_once(void **state)
{
    struct yard *y = *state;
    struct waiter *w = &y->waiters[0];
    const struct park_key key = {1, false};
    pthread_t thread;
    int waited = 0;

    assert_int_equal(pthread_create(&thread, NULL, wake_often, y), 0);
    for (int i = 0; i < 5000; i++) {
        enum park_answer answer = park_add(y->park, &w->parked, &key, 1, park_mark(y->park));

        if (answer == PARK_WAITS && park_leave(y->park, &w->parked))
            waited++;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(waited <= 5000);
}

static void test_keys_tell_kinds_and_names_apart(void **state)
{
    (void)state;
    assert_true(wake_key(WAKE_JOB, "a") != wake_key(WAKE_QUEUE, "a"));
    assert_true(wake_key(WAKE_JOB, "a") != wake_key(WAKE_JOB, "b"));
    /* other servers, of other releases perhaps, must come to the same numbers */
    assert_int_equal(wake_key(WAKE_JOB, ""), UINT64_C(0xaf63bd4c8601b7df));
    assert_int_equal(wake_key(WAKE_QUEUE, "q"), wake_key(WAKE_QUEUE, "q"));
}

#define IN_YARD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_YARD(test_a_key_wakes_those_who_wait_for_it_once),
        IN_YARD(test_a_change_since_the_look_began_is_not_missed),
        IN_YARD(test_who_leaves_is_not_woken),
        IN_YARD(test_time_wakes_too),
        IN_YARD(test_the_end_wakes_everybody_for_good),
        IN_YARD(test_of_a_group_one_after_the_other_is_woken),
        IN_YARD(test_who_was_not_woken_by_a_key_does_not_hand_on),
        IN_YARD(test_the_first_of_a_group_looks_for_all),
        IN_YARD(test_handing_on_does_not_come_round),
        IN_YARD(test_other_keys_wake_a_whole_group),
        IN_YARD(test_looks_and_changes_at_once),
        cmocka_unit_test(test_keys_tell_kinds_and_names_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
