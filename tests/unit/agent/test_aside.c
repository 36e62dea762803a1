/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/aside.h"

#include "agent/strays.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS 3000

struct scene {
    struct reactor reactor;
    struct runner *runner;
    struct buf printed;
    int done;
    bool ended_well;
    int command_ended;
};

static void on_done(void *arg, const struct buf *output)
{
    struct scene *s = arg;

    s->done++;
    s->ended_well = output != NULL;
    if (output)
        (void)buf_add(&s->printed, buf_text(output), output->len);
}

static void on_output(void *arg, const char *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
}

static void on_command_ended(void *arg, int status)
{
    ((struct scene *)arg)->command_ended++;
    assert_int_equal(status, 0);
}

static void scene_start(struct scene *s)
{
    struct err err = ERR_INIT;

    memset(s, 0, sizeof(*s));
    s->reactor = (struct reactor)REACTOR_INIT(&clock_system);
    s->runner = runner_new(&s->reactor, NULL, &err);
    assert_non_null(s->runner);
    buf_init(&s->printed, 1 << 20);
}

static void scene_end(struct scene *s)
{
    runner_free(s->runner);
    buf_done(&s->printed);
    while (waitpid(-1, NULL, 0) > 0) {
        /* killed a moment ago */
    }
    assert_int_equal(strays_signal(NULL, 0), 0);
}

static struct aside *begin(struct scene *s, const char *text, int64_t limit_ms)
{
    const char *const argv[] = {"sh", "-c", text, NULL};
    const struct aside_command command = {(char *const *)(const void *)argv, limit_ms, on_done, s};
    struct err err = ERR_INIT;
    struct aside *aside = aside_start(&s->reactor, s->runner, &command, &err);

    assert_non_null(aside);
    return aside;
}

static void turn_until(struct scene *s, const int *flag)
{
    struct err err = ERR_INIT;

    for (int i = 0; i < ROUNDS && !*flag; i++)
        assert_int_equal(reactor_round(&s->reactor, 20, &err), 0);
    assert_int_equal(*flag, 1);
}

static void its_output_is_told_when_it_has_ended(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    (void)begin(&s, "echo one; echo no >&2; echo two; cat", 60000);
    turn_until(&s, &s.done);
    assert_true(s.ended_well);
    assert_string_equal(buf_text(&s.printed), "one\ntwo\n");
    scene_end(&s);
}

static void it_ends_when_its_time_is_over(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    (void)begin(&s, "echo one; exec sleep 1000", 50);
    turn_until(&s, &s.done);
    assert_false(s.ended_well);
    scene_end(&s);
}

static void it_ends_when_it_prints_too_much(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    (void)begin(&s, "exec yes", 60000);
    turn_until(&s, &s.done);
    assert_false(s.ended_well);
    scene_end(&s);
}

static void one_that_is_stopped_does_not_tell(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    aside_stop(begin(&s, "exec sleep 1000", 60000));
    aside_stop(NULL);
    scene_end(&s);
    assert_int_equal(s.done, 0);
}

/* The gate is a pipe: the aside lives until the command of the runner has ended. */
static void a_command_that_ends_lets_it_live(void **state)
{
    static char *const environment[] = {NULL};
    struct runner_command command = {.text = "sleep 1000 & exit 0",
                                     .dir = "/tmp",
                                     .environment = environment,
                                     .grace_ms = 1000,
                                     .output = on_output,
                                     .ended = on_command_ended};
    char gate[] = "/tmp/test_aside_XXXXXX";
    char text[100];
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    assert_int_equal(close(mkstemp(gate)), 0);
    (void)snprintf(text, sizeof(text), "(while [ -e %s ]; do sleep 0.02; done); echo lived", gate);
    scene_start(&s);
    command.arg = &s;
    (void)begin(&s, text, 60000);
    assert_int_equal(runner_start(s.runner, &command, &err), 0);
    turn_until(&s, &s.command_ended);
    assert_int_equal(s.done, 0);
    (void)unlink(gate);
    turn_until(&s, &s.done);
    assert_string_equal(buf_text(&s.printed), "lived\n");
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_output_is_told_when_it_has_ended),
        cmocka_unit_test(it_ends_when_its_time_is_over),
        cmocka_unit_test(it_ends_when_it_prints_too_much),
        cmocka_unit_test(one_that_is_stopped_does_not_tell),
        cmocka_unit_test(a_command_that_ends_lets_it_live),
    };
    sigset_t child;

    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
