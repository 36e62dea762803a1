/* SPDX-License-Identifier: GPL-3.0-or-later
 * The runner reaps all children, so it is asked to end this one: it knows whether the number is
 * still the child's.  It has ended when its output has. */
#include "agent/aside.h"

#include "agent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PIECE 4096

struct aside {
    struct reactor *reactor;
    struct watch pipe;
    struct timer limit;
    struct buf output;
    struct runner *runner;
    pid_t child; /* 0: not started */
    void (*done)(void *arg, const struct buf *output);
    void *arg;
};

void aside_stop(struct aside *a)
{
    if (!a)
        return;
    reactor_disarm(a->reactor, &a->limit);
    if (a->pipe.fd >= 0) {
        reactor_unwatch(a->reactor, &a->pipe);
        (void)close(a->pipe.fd);
    }
    if (a->child > 0)
        runner_kill_spared(a->runner, a->child);
    buf_done(&a->output);
    free(a);
}

static void finish(struct aside *a, bool ended)
{
    struct buf output = a->output;
    void (*done)(void *arg, const struct buf *output) = a->done;
    void *arg = a->arg;

    a->output = (struct buf){0};
    aside_stop(a);
    done(arg, ended && !buf_failed(&output) ? &output : NULL);
    buf_done(&output);
}

static void on_output(void *arg)
{
    struct aside *a = arg;
    char piece[PIECE];
    ssize_t n;

    while ((n = read(a->pipe.fd, piece, sizeof(piece))) > 0)
        if (buf_add(&a->output, piece, (size_t)n) < 0) {
            finish(a, false);
            return;
        }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        finish(a, true);
}

static void on_limit(void *arg)
{
    finish(arg, false);
}

/* In the child: never returns. */
static void become(char *const *argv, pid_t agent, int out_fd)
{
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    /* should the agent have died before, nobody would tell us */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == agent && null_fd >= 0 &&
        child_set_up(out_fd, null_fd) == 0)
        (void)execvp(argv[0], argv);
    _exit(127);
}

static int start(struct aside *a, char *const *argv, struct err *err)
{
    pid_t agent = getpid(), child;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "could not make a pipe");
    a->pipe.fd = ends[0];
    reactor_watch(a->reactor, &a->pipe);
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 || (child = fork()) < 0) {
        (void)err_set_errno(err, errno, "could not start a process");
        (void)close(ends[1]);
        return -1;
    }
    if (child == 0)
        become(argv, agent, ends[1]);
    (void)close(ends[1]);
    runner_spare(a->runner, child);
    a->child = child;
    return 0;
}

struct aside *aside_start(struct reactor *reactor, struct runner *runner,
                          const struct aside_command *command, struct err *err)
{
    struct aside *a = calloc(1, sizeof(*a));

    if (!a) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    a->reactor = reactor;
    a->pipe = (struct watch){-1, on_output, a};
    a->limit = (struct timer){.fire = on_limit, .arg = a};
    buf_init(&a->output, ASIDE_OUTPUT_MAX);
    a->runner = runner;
    a->done = command->done;
    a->arg = command->arg;
    if (start(a, command->argv, err) < 0) {
        aside_stop(a);
        return NULL;
    }
    reactor_after(reactor, &a->limit, command->limit_ms);
    return a;
}
