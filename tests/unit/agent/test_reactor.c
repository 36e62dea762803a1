/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/reactor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    struct reactor reactor;
    struct timer timers[3];
    struct watch watches[2];
    int pipes[2][2];
    char order[20];
};

/* Each is called with the scene; which one it was shows in the order. */
static void note(struct scene *s, char c)
{
    size_t len = strlen(s->order);

    assert_true(len + 1 < sizeof(s->order));
    s->order[len] = c;
}

static void fire_a(void *arg)
{
    note(arg, 'a');
}

static void fire_b(void *arg)
{
    note(arg, 'b');
}

static void fire_again(void *arg)
{
    struct scene *s = arg;

    note(s, 'c');
    if (strlen(s->order) < 5)
        reactor_after(&s->reactor, &s->timers[2], 0);
}

static void ready_x(void *arg)
{
    struct scene *s = arg;

    note(s, 'x');
    reactor_unwatch(&s->reactor, &s->watches[0]);
    reactor_unwatch(&s->reactor, &s->watches[1]);
}

static void ready_y(void *arg)
{
    note(arg, 'y');
}

static void scene_start(struct scene *s)
{
    memset(s, 0, sizeof(*s));
    s->reactor = (struct reactor)REACTOR_INIT(&clock_system);
    s->timers[0] = (struct timer){.fire = fire_a, .arg = s};
    s->timers[1] = (struct timer){.fire = fire_b, .arg = s};
    s->timers[2] = (struct timer){.fire = fire_again, .arg = s};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(s->pipes[i]), 0);
        s->watches[i] = (struct watch){s->pipes[i][0], i == 0 ? ready_x : ready_y, s};
    }
}

static void scene_end(struct scene *s)
{
    for (int i = 0; i < 2; i++) {
        (void)close(s->pipes[i][0]);
        (void)close(s->pipes[i][1]);
    }
}

static void test_timers_fire_in_order_of_time_whatever_the_order_of_setting(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    reactor_after(&s.reactor, &s.timers[1], 20);
    reactor_after(&s.reactor, &s.timers[0], 10);
    while (strlen(s.order) < 2)
        assert_int_equal(reactor_round(&s.reactor, -1, NULL), 0);
    assert_string_equal(s.order, "ab");
    scene_end(&s);
}

static void test_a_timer_set_anew_fires_once_and_a_disarmed_one_never(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    reactor_after(&s.reactor, &s.timers[0], 0);
    reactor_after(&s.reactor, &s.timers[0], 1);
    reactor_after(&s.reactor, &s.timers[1], 0);
    reactor_disarm(&s.reactor, &s.timers[1]);
    reactor_disarm(&s.reactor, &s.timers[1]);
    while (s.reactor.timers)
        assert_int_equal(reactor_round(&s.reactor, -1, NULL), 0);
    assert_string_equal(s.order, "a");
    scene_end(&s);
}

static void test_a_timer_may_set_itself_again(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    reactor_after(&s.reactor, &s.timers[2], 0);
    while (s.reactor.timers)
        assert_int_equal(reactor_round(&s.reactor, -1, NULL), 0);
    assert_string_equal(s.order, "ccccc");
    scene_end(&s);
}

static void test_a_watch_taken_out_by_another_is_not_called(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    reactor_watch(&s.reactor, &s.watches[0]);
    reactor_watch(&s.reactor, &s.watches[1]);
    assert_int_equal(write(s.pipes[0][1], "1", 1), 1);
    assert_int_equal(write(s.pipes[1][1], "1", 1), 1);
    assert_int_equal(reactor_round(&s.reactor, -1, NULL), 0);
    assert_int_equal(reactor_round(&s.reactor, 0, NULL), 0);
    assert_string_equal(s.order, "x");
    scene_end(&s);
}

static void test_the_other_end_going_away_is_told(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    reactor_watch(&s.reactor, &s.watches[1]);
    (void)close(s.pipes[1][1]);
    assert_int_equal(reactor_round(&s.reactor, -1, NULL), 0);
    assert_string_equal(s.order, "y");
    s.pipes[1][1] = dup(s.pipes[1][0]);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_order_of_time_whatever_the_order_of_setting),
        cmocka_unit_test(test_a_timer_set_anew_fires_once_and_a_disarmed_one_never),
        cmocka_unit_test(test_a_timer_may_set_itself_again),
        cmocka_unit_test(test_a_watch_taken_out_by_another_is_not_called),
        cmocka_unit_test(test_the_other_end_going_away_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
