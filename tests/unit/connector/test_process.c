/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connector/process.h"

#include "connector/stop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs a shell command; its output goes to *output, errors to *errors where they are given. */
static int run(const char *command, struct buf *output, struct buf *errors, int64_t timeout_ms,
               int *ret_status, struct err *err)
{
    const char *const argv[] = {"sh", "-c", command, NULL};
    const struct process process = {
        .argv = argv, .timeout_ms = timeout_ms, .output = output, .errors = errors};

    return process_run(&process, NULL, ret_status, err);
}

static void test_output_and_status_are_the_program_s(void **state)
{
    struct buf output = BUF_INIT(100), errors = BUF_INIT(100);
    struct err err = ERR_INIT;
    int status = -1;

    (void)state;
    assert_int_equal(
        run("echo out; echo err >&2; exit 3", &output, &errors, PROCESS_FOREVER, &status, &err), 0);
    assert_int_equal(status, 3);
    assert_string_equal(buf_text(&output), "out\n");
    assert_string_equal(buf_text(&errors), "err\n");
    assert_int_equal(run("kill -KILL $$", NULL, NULL, PROCESS_FOREVER, &status, &err), 0);
    assert_int_equal(status, 128 + SIGKILL);
    buf_done(&output);
    buf_done(&errors);
}

static void test_of_too_much_output_the_end_is_kept(void **state)
{
    struct buf output = BUF_INIT(10);
    struct err err = ERR_INIT;
    int status = -1;

    (void)state;
    assert_int_equal(run("seq 100000", &output, NULL, PROCESS_FOREVER, &status, &err), 0);
    assert_string_equal(buf_text(&output), "99\n100000\n");
    assert_string_equal(process_last_line(&output), "100000");
    buf_done(&output);
}

static void test_the_last_line_of_nothing_says_so(void **state)
{
    struct buf said = BUF_INIT(10);

    (void)state;
    assert_string_equal(process_last_line(&said), "it did not say why");
    assert_int_equal(buf_adds(&said, "\r\n \n"), 0);
    assert_string_equal(process_last_line(&said), "it did not say why");
    buf_done(&said);
}

/* It does not tell why a program could not be started. */
static bool is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "valgrind");
}

static void test_a_program_that_is_not_there_is_told_apart(void **state)
{
    const char *const argv[] = {"no-such-program-of-the-tests", NULL};
    const struct process process = {.argv = argv, .timeout_ms = PROCESS_FOREVER};
    struct err err = ERR_INIT;
    int status = -1;

    (void)state;
    if (is_under_valgrind())
        skip();
    assert_int_equal(process_run(&process, NULL, &status, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "\"no-such-program-of-the-tests\""));
    assert_int_equal(status, -1);
}

static void test_a_program_that_takes_too_long_is_ended(void **state)
{
    struct buf output = BUF_INIT(100);
    struct err err = ERR_INIT;
    int status = -1;

    (void)state;
    assert_int_equal(run("echo on; sleep 1000", &output, NULL, 100, &status, &err), -1);
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_string_equal(buf_text(&output), "on\n");
    assert_int_equal(status, -1);
    buf_done(&output);
}

static void test_who_keeps_the_output_open_is_not_waited_for(void **state)
{
    struct buf output = BUF_INIT(100);
    struct err err = ERR_INIT;
    pid_t left;
    int status = -1;

    (void)state;
    assert_int_equal(run("sleep 1000 & echo $!", &output, NULL, PROCESS_FOREVER, &status, &err), 0);
    assert_int_equal(status, 0);
    left = (pid_t)strtol(buf_text(&output), NULL, 10);
    assert_true(left > 1);
    assert_int_equal(kill(left, SIGKILL), 0);
    buf_done(&output);
}

static void test_a_signal_ends_the_wait_and_the_program(void **state)
{
    const char *const argv[] = {"sleep", "1000", NULL};
    const struct process process = {.argv = argv, .timeout_ms = PROCESS_FOREVER};
    struct stop stop;
    struct err err = ERR_INIT;
    int status = -1;

    (void)state;
    assert_int_equal(stop_init(&stop, &err), 0);
    assert_false(stop_asked(&stop));
    assert_false(stop_wait(&stop, 1));
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    assert_int_equal(process_run(&process, &stop, &status, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    assert_int_equal(stop.number, SIGTERM);
    /* and it stays so */
    assert_true(stop_wait(&stop, 1000000));
    assert_true(stop_asked(&stop));
    stop_done(&stop);
}

/* In a group of its own, as process_run() starts them; its output goes to fd. */
static pid_t start_beside_us(const char *command, int fd)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (setpgid(0, 0) == 0 && dup2(fd, STDOUT_FILENO) >= 0)
            (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static void test_one_that_runs_beside_us_is_ended_with_its_group(void **state)
{
    char text[8];
    int ends[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid = start_beside_us("trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done", ends[1]);
    assert_int_equal(read(ends[0], text, sizeof(text)), 3);
    assert_int_equal(process_end(pid), 5);
    assert_int_equal(kill(-pid, 0), -1);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_and_status_are_the_program_s),
        cmocka_unit_test(test_of_too_much_output_the_end_is_kept),
        cmocka_unit_test(test_the_last_line_of_nothing_says_so),
        cmocka_unit_test(test_a_program_that_is_not_there_is_told_apart),
        cmocka_unit_test(test_a_program_that_takes_too_long_is_ended),
        cmocka_unit_test(test_who_keeps_the_output_open_is_not_waited_for),
        cmocka_unit_test(test_one_that_runs_beside_us_is_ended_with_its_group),
        cmocka_unit_test(test_a_signal_ends_the_wait_and_the_program), /* last: it blocks signals */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
