/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/runner.h"

#include "agent/strays.h"
#include "common/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_ROUNDS 3000

/* As if every process was stuck in the kernel: a signal is taken and nothing comes of it. */
static bool are_stuck;
static bool no_subreaper;
static int64_t skipped_ms;

int __wrap_kill(pid_t pid, int signal);
int __real_kill(pid_t pid, int signal);
int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __real_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);

int __wrap_kill(pid_t pid, int signal)
{
    return are_stuck ? 0 : __real_kill(pid, signal);
}

int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    if (no_subreaper) {
        errno = EPERM;
        return -1;
    }
    return __real_prctl(option, a, b, c, d);
}

static int64_t skipping_ms(const struct clock *clock)
{
    (void)clock;
    return clock_ms(&clock_system) + skipped_ms;
}

static const struct clock skipping = {.monotonic_ms = skipping_ms};

struct scene {
    struct reactor reactor;
    struct runner *runner;
    struct runner_command command;
    struct buf printed;
    int ended;
    int all_ended;
    int status;
    bool stop_at_output;
    struct err err;
};

static void on_output(void *arg, const char *data, size_t len)
{
    struct scene *s = arg;

    (void)buf_add(&s->printed, data, len);
    if (s->stop_at_output)
        runner_stop(s->runner);
}

static void on_ended(void *arg, int status)
{
    struct scene *s = arg;

    s->ended++;
    s->status = status;
}

static void scene_start(struct scene *s)
{
    memset(s, 0, sizeof(*s));
    s->reactor = (struct reactor)REACTOR_INIT(&clock_system);
    s->runner = runner_new(&s->reactor, NULL, &s->err);
    assert_non_null(s->runner);
    buf_init(&s->printed, 64 << 20);
    s->command = (struct runner_command){.dir = "/tmp",
                                         .environment = environ,
                                         .grace_ms = 300,
                                         .output = on_output,
                                         .ended = on_ended,
                                         .arg = s};
}

static void run(struct scene *s, const char *text)
{
    s->command.text = text;
    s->ended = 0;
    assert_int_equal(runner_start(s->runner, &s->command, &s->err), 0);
    for (int i = 0; i < DEADLINE_ROUNDS && !s->ended; i++)
        assert_int_equal(reactor_round(&s->reactor, 20, &s->err), 0);
    assert_int_equal(s->ended, 1);
}

static void scene_end(struct scene *s)
{
    runner_free(s->runner);
    buf_done(&s->printed);
    assert_int_equal(strays_signal(NULL, 0), 0);
}

static void test_output_and_status_of_a_command_arrive(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    run(&s, "pwd; echo error >&2; exit 7");
    assert_string_equal(buf_text(&s.printed), "/tmp\nerror\n");
    assert_int_equal(s.status, 7);
    run(&s, "kill -TERM $$");
    assert_int_equal(s.status, 128 + SIGTERM);
    run(&s, "this-command-does-not-exist");
    assert_int_equal(s.status, 127);
    scene_end(&s);
}

static void test_the_command_has_the_environment_it_is_given(void **state)
{
    char only[] = "ONLY=this";
    char *environment[] = {only, NULL};
    struct scene s;

    (void)state;
    scene_start(&s);
    s.command.environment = environment;
    run(&s, "echo $ONLY$HOME");
    assert_string_equal(buf_text(&s.printed), "this\n");
    scene_end(&s);
}

static void test_all_output_is_read_before_the_end_is_told(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    run(&s, "head -c 5000000 /dev/zero");
    assert_int_equal(s.printed.len, 5000000);
    scene_end(&s);
}

static void test_a_command_can_be_stopped(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    s.stop_at_output = true;
    run(&s, "echo begun; sleep 1000");
    assert_int_equal(s.status, 128 + SIGTERM);
    scene_end(&s);
}

static void test_a_command_that_ignores_term_is_killed_with_all_its_children(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    s.stop_at_output = true;
    run(&s, "trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & "
            "setsid sh -c 'trap \"\" TERM; while :; do sleep 1000; done' & "
            "echo begun; while :; do sleep 1000; done");
    assert_int_equal(s.status, 128 + SIGKILL);
    assert_int_equal(strays_signal(NULL, 0), 0);
    scene_end(&s);
}

static void on_all_ended(void *arg)
{
    ((struct scene *)arg)->all_ended++;
}

static void end_all(struct scene *s)
{
    runner_end_all(s->runner, 300, on_all_ended, s);
    for (int i = 0; i < DEADLINE_ROUNDS && !s->all_ended; i++)
        assert_int_equal(reactor_round(&s->reactor, 20, &s->err), 0);
    assert_int_equal(s->all_ended, 1);
    assert_int_equal(strays_signal(NULL, 0), 0);
}

static void test_what_a_good_command_leaves_lives_until_all_is_ended(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    run(&s, "sleep 1000 & setsid sh -c 'sleep 1000; :' & echo up");
    assert_string_equal(buf_text(&s.printed), "up\n");
    assert_true(strays_signal(NULL, 0) >= 2);
    run(&s, "sleep 1000 & exit 3"); /* this one is ended, those are spared */
    assert_int_equal(s.status, 3);
    assert_true(strays_signal(NULL, 0) >= 2);
    end_all(&s);
    scene_end(&s);
}

static void test_what_ignores_term_is_killed_when_all_is_ended(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    run(&s, "(trap '' TERM; while :; do sleep 1000; done) &");
    end_all(&s);
    scene_end(&s);
}

static void test_many_commands_may_leave_their_output_open(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    for (int i = 0; i < 12; i++) {
        run(&s, "sleep 1000 &");
        assert_int_equal(s.status, 0);
    }
    end_all(&s);
    scene_end(&s);
}

static void test_there_may_be_nothing_to_end(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    end_all(&s);
    scene_end(&s);
}

static void test_what_a_failed_command_leaves_in_the_background_ends_with_it(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    run(&s, "sleep 1000 & setsid sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &) ; exit 3");
    assert_int_equal(s.status, 3);
    assert_int_equal(strays_signal(NULL, 0), 0);
    scene_end(&s);
}

static void test_a_runner_that_goes_away_kills_its_command(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    s.command.text = "sleep 1000 & sleep 1000";
    assert_int_equal(runner_start(s.runner, &s.command, &s.err), 0);
    runner_free(s.runner);
    while (waitpid(-1, NULL, 0) > 0) {
        /* the killed ones, and the orphans that came to us */
    }
    assert_int_equal(strays_signal(NULL, 0), 0);
    buf_done(&s.printed);
}

static void test_marked_processes_are_found_by_their_environment(void **state)
{
    char mark[] = "TEST_RUNNER_MARK=a b";
    char *environment[] = {mark, NULL};
    struct scene s;

    (void)state;
    scene_start(&s);
    s.command.environment = environment;
    s.command.text = "exec /bin/sleep 1000";
    assert_int_equal(strays_signal_marked(mark, 0), 0);
    assert_int_equal(runner_start(s.runner, &s.command, &s.err), 0);
    for (int i = 0; i < DEADLINE_ROUNDS && strays_signal_marked(mark, 0) == 0; i++)
        assert_int_equal(reactor_round(&s.reactor, 10, &s.err), 0);
    assert_int_equal(strays_signal_marked("TEST_RUNNER_MARK=a", 0), 0);
    assert_int_equal(strays_signal_marked(mark, SIGKILL), 1);
    for (int i = 0; i < DEADLINE_ROUNDS && !s.ended; i++)
        assert_int_equal(reactor_round(&s.reactor, 20, &s.err), 0);
    assert_int_equal(s.status, 128 + SIGKILL);
    scene_end(&s);
}

static void test_what_cannot_be_ended_does_not_hold_up_the_end(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    s.reactor.clock = &skipping;
    s.stop_at_output = true;
    s.command.text = "echo begun; exec sleep 1000";
    are_stuck = true;
    assert_int_equal(runner_start(s.runner, &s.command, &s.err), 0);
    for (int i = 0; i < DEADLINE_ROUNDS && !s.ended; i++) {
        assert_int_equal(reactor_round(&s.reactor, 20, &s.err), 0);
        if (s.printed.len > 0)
            skipped_ms += 1000;
    }
    assert_int_equal(s.ended, 1);
    assert_int_equal(s.status, 128 + SIGKILL);
    assert_int_equal(runner_left_alive(s.runner), 1);
    s.stop_at_output = false;
    run(&s, "exit 3"); /* the next one has nothing to do with it */
    assert_int_equal(s.status, 3);
    assert_int_equal(runner_left_alive(s.runner), 0);
    runner_end_all(s.runner, 300, on_all_ended, &s);
    for (int i = 0; i < DEADLINE_ROUNDS && !s.all_ended; i++) {
        assert_int_equal(reactor_round(&s.reactor, 20, &s.err), 0);
        skipped_ms += 1000;
    }
    assert_int_equal(s.all_ended, 1);
    assert_int_equal(runner_left_alive(s.runner), 1);
    are_stuck = false;
    scene_end(&s);
}

static int lowest_free_fd(void)
{
    int fd = dup(STDIN_FILENO);

    assert_true(fd >= 0);
    (void)close(fd);
    return fd;
}

static void test_a_runner_that_cannot_be_made_leaves_nothing_open(void **state)
{
    struct reactor reactor = REACTOR_INIT(&clock_system);
    struct err err = ERR_INIT;
    int before = lowest_free_fd();

    (void)state;
    no_subreaper = true;
    assert_null(runner_new(&reactor, NULL, &err));
    no_subreaper = false;
    assert_int_equal(lowest_free_fd(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_and_status_of_a_command_arrive),
        cmocka_unit_test(test_the_command_has_the_environment_it_is_given),
        cmocka_unit_test(test_all_output_is_read_before_the_end_is_told),
        cmocka_unit_test(test_a_command_can_be_stopped),
        cmocka_unit_test(test_a_command_that_ignores_term_is_killed_with_all_its_children),
        cmocka_unit_test(test_what_a_good_command_leaves_lives_until_all_is_ended),
        cmocka_unit_test(test_what_ignores_term_is_killed_when_all_is_ended),
        cmocka_unit_test(test_many_commands_may_leave_their_output_open),
        cmocka_unit_test(test_there_may_be_nothing_to_end),
        cmocka_unit_test(test_what_a_failed_command_leaves_in_the_background_ends_with_it),
        cmocka_unit_test(test_a_runner_that_goes_away_kills_its_command),
        cmocka_unit_test(test_what_cannot_be_ended_does_not_hold_up_the_end),
        cmocka_unit_test(test_a_runner_that_cannot_be_made_leaves_nothing_open),
        cmocka_unit_test(test_marked_processes_are_found_by_their_environment),
    };
    sigset_t child;

    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
