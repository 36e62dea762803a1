/* SPDX-License-Identifier: GPL-3.0-or-later
 * Runs commands with /bin/sh, one after the other, and makes sure that nothing of them survives.
 *
 * The program is the reaper of its orphaned descendants (PR_SET_CHILD_SUBREAPER), so whatever a
 * command starts, in whatever session or process group, is found again.  What a command leaves
 * running when it ends with status 0 lives on, until runner_end_all(); what it prints from then on
 * is read and thrown away, so that it is neither blocked nor killed by it.  A command that fails or
 * is stopped has ended when its shell has and everything it started is gone: asked with SIGTERM,
 * and with SIGKILL after the grace time.  It knows nothing of jobs and phases. */
#ifndef AGENT_RUNNER_H
#define AGENT_RUNNER_H

#include "agent/reactor.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup;
struct runner;

struct runner_command {
    const char *text; /* for sh -c */
    const char *dir;
    char *const *environment;
    int64_t grace_ms; /* between SIGTERM and SIGKILL */
    /* Called with what it prints, at most 64 KiB a time (standard output and error, merged). */
    void (*output)(void *arg, const char *data, size_t len);
    /* Called once: exit status 0..255, or 128 + n if signal n ended the shell. */
    void (*ended)(void *arg, int status);
    void *arg;
};

/* SIGCHLD must be blocked.  What is run goes into the group, which may be NULL and is borrowed. */
struct runner *runner_new(struct reactor *reactor, struct cgroup *cgroup, struct err *err);
/* Kills what runs, without grace. */
void runner_free(struct runner *runner);

/* Everything in command is borrowed until ended was called. */
int runner_start(struct runner *runner, const struct runner_command *command, struct err *err);
/* SIGTERM now, SIGKILL after the grace time; ended is called as always.  May be repeated. */
void runner_stop(struct runner *runner);

/* A child of the program that is no part of any command: it and its children are let live when a
 * command ends.  One at a time; forgotten when it has ended. */
void runner_spare(struct runner *runner, pid_t pid);
/* Kills that child, unless it has ended. */
void runner_kill_spared(struct runner *runner, pid_t pid);
/* How many processes could not be ended, when the last command had ended or everything had: they
 * are stuck in the kernel, or another user's. */
int runner_left_alive(const struct runner *runner);
/* How many processes the kernel has killed because the limit of the group's memory was reached. */
int64_t runner_oom_kills(const struct runner *runner);

/* No command runs.  Ends whatever they have left running, as above, and calls ended(arg) when it is
 * gone; that may be at once. */
void runner_end_all(struct runner *runner, int64_t grace_ms, void (*ended)(void *arg), void *arg);

#endif
