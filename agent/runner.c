/* SPDX-License-Identifier: GPL-3.0-or-later
 * Fork, pipe and signals.  A command goes through three stages: RUNNING (the shell lives), SWEEPING
 * (it has ended, what it started is being ended), IDLE.  In ENDING everything is ended that earlier
 * commands have left. */
#include "agent/runner.h"

#include "agent/cgroup.h"
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
/* Read at the end: a pipe holds at most 1 MiB, but a stray may write on. */
#define LAST_PIECES 1024
/* after SIGKILL: only a process that is stuck in the kernel, or is another user's, is left then */
#define GIVE_UP_MS    30000
#define KILL_ROUNDS   100
#define KILL_PAUSE_MS 5
#define RECHECK_MS    50 /* orphans of orphans do not always send us a signal */

#define LEFT_PIPES 8 /* of commands that went well and left something running */

enum stage { IDLE, RUNNING, SWEEPING, ENDING };

struct runner {
    struct reactor *reactor;
    struct watch children; /* signalfd for SIGCHLD */
    struct watch pipe;
    struct left {
        struct runner *runner;
        struct watch pipe;
    } left[LEFT_PIPES];
    struct timer grace;
    struct timer recheck;
    int64_t grace_ms;
    struct cgroup *cgroup;
    struct strays spared; /* what lived before the command */
    const struct runner_command *command;
    void (*all_ended)(void *arg);
    void *all_ended_arg;
    enum stage stage;
    pid_t shell;
    pid_t aside; /* no part of any command; 0: none */
    int status;
    bool asked; /* SIGTERM was sent */
    bool swept;
    bool forced;
    bool given_up;
    int left_alive; /* of what was to be ended last */
};

/* --- reading what it prints ------------------------------------------------------------ */

static void close_pipe(struct runner *r, struct watch *pipe)
{
    if (pipe->fd < 0)
        return;
    reactor_unwatch(r->reactor, pipe);
    (void)close(pipe->fd);
    pipe->fd = -1;
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
            close_pipe(r, &r->pipe);
        else
            return;
    }
}

static void on_output(void *arg)
{
    read_pipe(arg, PIECES);
}

/* What has a pipe open after its command prints for nobody. */
static void on_left_output(void *arg)
{
    struct left *left = arg;
    char piece[PIECE];
    ssize_t n = 1;

    for (int i = 0; i < PIECES && n > 0; i++)
        n = read(left->pipe.fd, piece, sizeof(piece));
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_pipe(left->runner, &left->pipe);
}

/* Its last writer may live as long as the job: nobody waits for that. */
static void leave_pipe(struct runner *r)
{
    for (size_t i = 0; i < LEFT_PIPES && r->pipe.fd >= 0; i++)
        if (r->left[i].pipe.fd < 0) {
            reactor_unwatch(r->reactor, &r->pipe);
            r->left[i].pipe.fd = take_fd(&r->pipe.fd);
            reactor_watch(r->reactor, &r->left[i].pipe);
        }
    close_pipe(r, &r->pipe);
}

static void close_left_pipes(struct runner *r)
{
    for (size_t i = 0; i < LEFT_PIPES; i++)
        close_pipe(r, &r->left[i].pipe);
}

/* --- ending ---------------------------------------------------------------------------- */

static void finish_command(struct runner *r)
{
    const struct runner_command *command = r->command;

    read_pipe(r, LAST_PIECES);
    leave_pipe(r);
    r->stage = IDLE;
    r->command = NULL;
    command->ended(command->arg, r->status);
}

static void finish_all(struct runner *r)
{
    close_left_pipes(r);
    if (r->cgroup)
        cgroup_remove(r->cgroup);
    r->stage = IDLE;
    r->all_ended(r->all_ended_arg);
}

static void finish(struct runner *r)
{
    reactor_disarm(r->reactor, &r->grace);
    reactor_disarm(r->reactor, &r->recheck);
    if (r->stage == ENDING)
        finish_all(r);
    else
        finish_command(r);
}

/* Returns how many live of those that are to be ended now. */
static int signal_ours(struct runner *r, int signal)
{
    int living = strays_signal(&r->spared, signal);

    if (r->stage != ENDING || !r->cgroup)
        return living;
    if (signal == SIGKILL)
        cgroup_kill(r->cgroup);
    return living > 0 ? living : cgroup_is_populated(r->cgroup);
}

static void sweep(struct runner *r)
{
    /* asked again once the shell is gone: it may have started something meanwhile */
    int signal = r->forced ? SIGKILL : r->swept ? 0 : SIGTERM;
    int living = signal_ours(r, signal);

    r->swept = true;
    if (living == 0 || r->given_up) {
        r->left_alive = living;
        finish(r);
        return;
    }
    if (!r->asked) {
        r->asked = true;
        reactor_after(r->reactor, &r->grace, r->grace_ms);
    }
    reactor_after(r->reactor, &r->recheck, RECHECK_MS);
}

static bool is_sweeping(const struct runner *r)
{
    return r->stage == SWEEPING || r->stage == ENDING;
}

static void on_recheck(void *arg)
{
    struct runner *r = arg;

    if (is_sweeping(r))
        sweep(r);
}

static int exit_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void on_grace_over(void *arg)
{
    struct runner *r = arg;

    r->given_up = r->forced;
    r->forced = true;
    if (r->given_up && r->stage == RUNNING) { /* the shell itself */
        r->status = exit_status(SIGKILL);
        r->stage = SWEEPING;
    }
    reactor_after(r->reactor, &r->grace, GIVE_UP_MS);
    (void)signal_ours(r, SIGKILL);
    if (is_sweeping(r))
        sweep(r);
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
        if (pid == r->aside)
            r->aside = 0;
        if (r->stage == RUNNING && pid == r->shell) {
            r->status = exit_status(status);
            r->stage = SWEEPING;
        }
    }
    if (r->stage == SWEEPING && r->status == 0 && !r->asked)
        finish(r);
    else if (is_sweeping(r))
        sweep(r);
}

void runner_stop(struct runner *runner)
{
    if (!runner->command || runner->asked)
        return;
    runner->asked = true;
    (void)signal_ours(runner, SIGTERM);
    reactor_after(runner->reactor, &runner->grace, runner->grace_ms);
}

int runner_left_alive(const struct runner *runner)
{
    return runner->left_alive;
}

int64_t runner_oom_kills(const struct runner *runner)
{
    return runner->cgroup ? cgroup_oom_kills(runner->cgroup) : 0;
}

void runner_end_all(struct runner *runner, int64_t grace_ms, void (*ended)(void *arg), void *arg)
{
    assert(runner->stage == IDLE);
    strays_done(&runner->spared);
    if (runner->aside)
        strays_add(&runner->spared, runner->aside);
    runner->all_ended = ended;
    runner->all_ended_arg = arg;
    runner->grace_ms = grace_ms;
    runner->asked = runner->swept = runner->forced = runner->given_up = false;
    runner->left_alive = 0;
    runner->stage = ENDING;
    sweep(runner);
}

void runner_spare(struct runner *runner, pid_t pid)
{
    runner->aside = pid;
    strays_add(&runner->spared, pid);
}

void runner_kill_spared(struct runner *runner, pid_t pid)
{
    if (runner->aside == pid) /* not reaped yet: the number is still the child's */
        (void)kill(pid, SIGKILL);
}

/* --- beginning ------------------------------------------------------------------------- */

/* In the child: never returns. */
static void become_shell(const struct runner_command *command, char *text, int out_fd, int door)
{
    char sh[] = "sh", option[] = "-c";
    char *argv[] = {sh, option, text, NULL};

    if (door >= 0) /* if it does not take us, there is still /proc */
        (void)!write(door, "0", 1);
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
    if (runner->cgroup)
        (void)cgroup_make(runner->cgroup, NULL);
    strays_note(&runner->spared);
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 || (runner->shell = fork()) < 0) {
        (void)err_set_errno(err, errno, "could not start a process");
        (void)close(ends[0]);
        (void)close(ends[1]);
        return -1;
    }
    if (runner->shell == 0)
        become_shell(command, text, ends[1], runner->cgroup ? cgroup_door(runner->cgroup) : -1);
    (void)close(ends[1]);
    runner->pipe.fd = ends[0];
    reactor_watch(runner->reactor, &runner->pipe);
    runner->command = command;
    runner->grace_ms = command->grace_ms;
    runner->stage = RUNNING;
    runner->left_alive = 0;
    runner->asked = runner->swept = runner->forced = runner->given_up = false;
    return 0;
}

struct runner *runner_new(struct reactor *reactor, struct cgroup *cgroup, struct err *err)
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
    r->cgroup = cgroup;
    r->pipe = (struct watch){-1, on_output, r};
    for (size_t i = 0; i < LEFT_PIPES; i++)
        r->left[i] = (struct left){r, {-1, on_left_output, &r->left[i]}};
    r->children = (struct watch){signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK), on_child, r};
    r->grace = (struct timer){.fire = on_grace_over, .arg = r};
    r->recheck = (struct timer){.fire = on_recheck, .arg = r};
    if (r->children.fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0) {
        (void)err_set_errno(err, errno, "could not prepare to run commands");
        if (r->children.fd >= 0)
            (void)close(r->children.fd);
        free(r);
        return NULL;
    }
    reactor_watch(reactor, &r->children);
    return r;
}

/* More than once: what was being started while we looked comes to us when its parent is dead. */
static void kill_all(void)
{
    for (int i = 0; i < KILL_ROUNDS && strays_signal(NULL, SIGKILL) > 0; i++) {
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
    kill_all();
    if (runner->cgroup)
        cgroup_kill(runner->cgroup);
    reactor_disarm(runner->reactor, &runner->grace);
    reactor_disarm(runner->reactor, &runner->recheck);
    close_pipe(runner, &runner->pipe);
    close_left_pipes(runner);
    strays_done(&runner->spared);
    reactor_unwatch(runner->reactor, &runner->children);
    (void)close(runner->children.fd);
    free(runner);
}
