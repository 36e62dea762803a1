/* SPDX-License-Identifier: GPL-3.0-or-later
 * With groups of the kernel where the tests may make some; else all but the first is skipped. */
#include "agent/cgroup.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    struct buf dir;
    struct buf unset;
    char agent[40];
    char path[300]; /* of the group */
    struct cgroup *cgroup;
    struct err err;
};

static void scene_start(struct scene *s)
{
    const struct cgroup_limits limits = {0, 0};

    memset(s, 0, sizeof(*s));
    buf_init(&s->dir, 200);
    buf_init(&s->unset, 4096);
    if (cgroup_find(&s->dir, &s->err) < 0) {
        print_message("%s\n", s->err.text);
        skip();
    }
    (void)snprintf(s->agent, sizeof(s->agent), "a %ld", (long)getpid());
    (void)snprintf(s->path, sizeof(s->path), "%s/testflinger-a%%20%ld", buf_text(&s->dir),
                   (long)getpid());
    s->cgroup = cgroup_new(buf_text(&s->dir), s->agent, &limits, &s->unset, &s->err);
    if (!s->cgroup) {
        print_message("%s\n", s->err.text);
        skip();
    }
}

static void scene_end(struct scene *s)
{
    cgroup_free(s->cgroup);
    assert_int_equal(access(s->path, F_OK), -1);
    buf_done(&s->dir);
    buf_done(&s->unset);
}

/* A process in the group. */
static pid_t start_in(const struct scene *s)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (write(cgroup_door(s->cgroup), "0", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_true(pid > 0);
    for (int i = 0; i < 1000 && !cgroup_is_populated(s->cgroup); i++)
        (void)poll(NULL, 0, 5);
    assert_true(cgroup_is_populated(s->cgroup));
    return pid;
}

static void assert_killed(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_a_directory_that_is_no_group_is_refused(void **state)
{
    const struct cgroup_limits limits = {0, 0};
    char top[] = "/tmp/test_cgroup_XXXXXX";
    struct buf unset = BUF_INIT(100);
    struct err err = ERR_INIT;

    (void)state;
    assert_null(cgroup_new("/tmp/this/is/not/there", "agent", &limits, &unset, &err));
    assert_non_null(mkdtemp(top));
    assert_null(cgroup_new(top, "agent", &limits, &unset, &err));
    assert_non_null(strstr(err.text, "cgroup.procs"));
    assert_int_equal(rmdir(top), 0);
    buf_done(&unset);
}

static void test_a_group_is_there_for_as_long_as_a_job(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s);
    assert_int_equal(cgroup_door(s.cgroup), -1);
    assert_int_equal(access(s.path, F_OK), -1);
    assert_int_equal(cgroup_make(s.cgroup, &s.err), 0);
    assert_int_equal(cgroup_make(s.cgroup, &s.err), 0);
    assert_int_equal(access(s.path, F_OK), 0);
    assert_false(cgroup_is_populated(s.cgroup));
    assert_int_equal(cgroup_oom_kills(s.cgroup), 0);
    cgroup_remove(s.cgroup);
    assert_int_equal(access(s.path, F_OK), -1);
    scene_end(&s);
}

static void test_what_is_in_a_group_is_killed_at_once(void **state)
{
    struct scene s;
    pid_t pid;

    (void)state;
    scene_start(&s);
    assert_int_equal(cgroup_make(s.cgroup, &s.err), 0);
    pid = start_in(&s);
    cgroup_kill(s.cgroup);
    assert_killed(pid);
    assert_false(cgroup_is_populated(s.cgroup));
    scene_end(&s);
}

static void test_what_an_earlier_run_left_is_cleared(void **state)
{
    const struct cgroup_limits limits = {0, 0};
    struct cgroup *next;
    struct scene s;
    char below[320];
    pid_t pid;

    (void)state;
    scene_start(&s);
    assert_int_equal(cgroup_make(s.cgroup, &s.err), 0);
    (void)snprintf(below, sizeof(below), "%s/of-the-job", s.path);
    assert_int_equal(mkdir(below, 0755), 0);
    pid = start_in(&s);
    next = cgroup_new(buf_text(&s.dir), s.agent, &limits, &s.unset, &s.err);
    assert_non_null(next);
    assert_killed(pid);
    cgroup_free(next);
    scene_end(&s);
}

static void test_a_limit_that_cannot_be_set_is_named(void **state)
{
    const struct cgroup_limits limits = {1 << 20, 7};
    struct cgroup *next;
    struct scene s;

    (void)state;
    scene_start(&s);
    next = cgroup_new(buf_text(&s.dir), s.agent, &limits, &s.unset, &s.err);
    assert_non_null(next);
    if (s.unset.len > 0)
        assert_non_null(strstr(buf_text(&s.unset), "cgroup.subtree_control"));
    cgroup_free(next);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_directory_that_is_no_group_is_refused),
        cmocka_unit_test(test_a_group_is_there_for_as_long_as_a_job),
        cmocka_unit_test(test_what_is_in_a_group_is_killed_at_once),
        cmocka_unit_test(test_what_an_earlier_run_left_is_cleared),
        cmocka_unit_test(test_a_limit_that_cannot_be_set_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
