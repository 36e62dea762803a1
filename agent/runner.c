/* SPDX-License-Identifier: GPL-3.0-or-later
 * Fork, pipe and signals.  A command goes through three stages: RUNNING (the shell lives), SWEEPING
 * (it has ended, what it left behind is being ended), IDLE. */
#include "agent/runner.h"

#include "agent/child.h"
#include "agent/strays.h"
#include "common/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE  (64 * 1024)
#define PIECES 4 /* read in one go, so that other events have their turn */
#define LAST_PIECES                                                                                \
    1024 /* read at the end: a pipe holds at most 1 MiB, but a stray may write on                  \
          */
#define GIVE_UP_MS    30000 /* after SIGKILL: only a process stuck in the kernel is left then */
#define KILL_ROUNDS   100
#define KILL_PAUSE_MS 5
#define RECHECK_MS    50 /* orphans of orphans do not always send us a signal */

enum stage { IDLE, RUNNING, SWEEPING };

struct runner {
    struct reactor *reactor;
    struct watch children; /* signalfd for SIGCHLD */
    struct watch pipe;
    struct timer grace;
    struct timer recheck;
    const struct runner_command *command;
    enum stage stage;
    pid_t shell;
    pid_t spared; /* 0: none */
    int status;
    bool asked; /* SIGTERM was sent */
    bool swept;
    bool forced;
    bool given_up;
};

/* --- reading what it prints ------------------------------------------------------------ */

static void close_pipe(struct runner *r)
{
    if (r->pipe.fd < 0)
        return;
    reactor_unwatch(r->reactor, &r->pipe);
    (void)close(r->pipe.fd);
    r->pipe.fd = -1;
}

/* Reads at most so many pieces; the pipe does not block. */
static void read_pipe(struct runner *r, int pieces)
{
    char piece[PIECE];

    while (r->pipe.fd >= 0 && pieces-- > 0) {
        ssize_t n = read(r->pipe.fd, piece, sizeof(piece));

        if (n > 0)
            r->command->output(r->command->arg, piece, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            close_pipe(r);
        else
            return;
    }
}

static void on_output(void *arg)
{
    read_pipe(arg, PIECES);
}

/* --- ending ---------------------------------------------------------------------------- */

static void finish(struct runner *r)
{
    const struct runner_command *command = r->command;

    reactor_disarm(r->reactor, &r->grace);
    reactor_disarm(r->reactor, &r->recheck);
    read_pipe(r, LAST_PIECES);
    close_pipe(r);
    r->stage = IDLE;
    r->command = NULL;
    command->ended(command->arg, r->status);
}

static void sweep(struct runner *r)
{
    /* asked again once the shell is gone: it may have started something meanwhile */
    int signal = r->forced ? SIGKILL : r->swept ? 0 : SIGTERM;

    r->swept = true;
    if (strays_signal(signal, r->spared) == 0 || r->given_up) {
        finish(r);
        return;
    }
    if (!r->asked) {
        r->asked = true;
        reactor_after(r->reactor, &r->grace, r->command->grace_ms);
    }
    reactor_after(r->reactor, &r->recheck, RECHECK_MS);
}

static void on_recheck(void *arg)
{
    struct runner *r = arg;

    if (r->stage == SWEEPING)
        sweep(r);
}

static void on_grace_over(void *arg)
{
    struct runner *r = arg;

    r->given_up = r->forced;
    r->forced = true;
    reactor_after(r->reactor, &r->grace, GIVE_UP_MS);
    (void)strays_signal(SIGKILL, r->spared);
    if (r->stage == SWEEPING)
        sweep(r);
}

static int exit_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void on_child(void *arg)
{
    struct runner *r = arg;
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    while (read(r->children.fd, &info, sizeof(info)) > 0) {
        /* one signal may stand for many children */
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == r->spared)
            r->spared = 0; /* the number may be given to a stray now */
        if (r->stage == RUNNING && pid == r->shell) {
            r->status = exit_status(status);
            r->stage = SWEEPING;
        }
    }
    if (r->stage == SWEEPING)
        sweep(r);
}

void runner_stop(struct runner *runner)
{
    if (runner->stage == IDLE || runner->asked)
        return;
    runner->asked = true;
    (void)strays_signal(SIGTERM, runner->spared);
    reactor_after(runner->reactor, &runner->grace, runner->command->grace_ms);
}

void runner_spare(struct runner *runner, pid_t pid)
{
    runner->spared = pid;
}

/* --- beginning ------------------------------------------------------------------------- */

/* In the child: never returns. */
static void become_shell(const struct runner_command *command, char *text, int out_fd)
{
    char sh[] = "sh", option[] = "-c";
    char *argv[] = {sh, option, text, NULL};

    if (child_set_up(out_fd, out_fd) == 0 && chdir(command->dir) == 0)
        (void)execve("/bin/sh", argv, command->environment);
    _exit(127);
}

int runner_start(struct runner *runner, const struct runner_command *command, struct err *err)
{
    AUTO_FREE char *text = strdup(command->text); /* here, since the child must not allocate */
    int ends[2];

    assert(runner->stage == IDLE && command->output && command->ended);
    if (!text)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "could not make a pipe");
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 || (runner->shell = fork()) < 0) {
        (void)err_set_errno(err, errno, "could not start a process");
        (void)close(ends[0]);
        (void)close(ends[1]);
        return -1;
    }
    if (runner->shell == 0)
        become_shell(command, text, ends[1]);
    (void)close(ends[1]);
    runner->pipe.fd = ends[0];
    reactor_watch(runner->reactor, &runner->pipe);
    runner->command = command;
    runner->stage = RUNNING;
    runner->asked = runner->swept = runner->forced = runner->given_up = false;
    return 0;
}

struct runner *runner_new(struct reactor *reactor, struct err *err)
{
    struct runner *r = calloc(1, sizeof(*r));
    sigset_t child;

    if (!r) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    r->reactor = reactor;
    r->pipe = (struct watch){-1, on_output, r};
    r->children = (struct watch){signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK), on_child, r};
    r->grace = (struct timer){.fire = on_grace_over, .arg = r};
    r->recheck = (struct timer){.fire = on_recheck, .arg = r};
    if (r->children.fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0) {
        (void)err_set_errno(err, errno, "could not prepare to run commands");
        free(r);
        return NULL;
    }
    reactor_watch(reactor, &r->children);
    return r;
}

/* More than once: what was being started while we looked comes to us when its parent is dead. */
static void kill_all(void)
{
    for (int i = 0; i < KILL_ROUNDS && strays_signal(SIGKILL, 0) > 0; i++) {
        while (waitpid(-1, NULL, WNOHANG) > 0) {
            /* dead ones need not be looked at again */
        }
        (void)poll(NULL, 0, KILL_PAUSE_MS);
    }
}

void runner_free(struct runner *runner)
{
    if (!runner)
        return;
    if (runner->stage != IDLE)
        kill_all();
    reactor_disarm(runner->reactor, &runner->grace);
    reactor_disarm(runner->reactor, &runner->recheck);
    close_pipe(runner);
    reactor_unwatch(runner->reactor, &runner->children);
    (void)close(runner->children.fd);
    free(runner);
}
