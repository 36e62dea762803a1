/* SPDX-License-Identifier: GPL-3.0-or-later
 * Runs one command at a time with /bin/sh and makes sure that nothing of it survives.
 *
 * The program is the reaper of its orphaned descendants (PR_SET_CHILD_SUBREAPER), so whatever a
 * command starts, in whatever session or process group, is found again.  A command has ended when
 * its shell has ended and everything it left behind is gone: asked with SIGTERM, and with SIGKILL
 * after the grace time.  It knows nothing of jobs and phases. */
#ifndef AGENT_RUNNER_H
#define AGENT_RUNNER_H

#include "agent/reactor.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* SIGCHLD must be blocked. */
struct runner *runner_new(struct reactor *reactor, struct err *err);
/* Kills what runs, without grace. */
void runner_free(struct runner *runner);

/* Everything in command is borrowed until ended was called. */
int runner_start(struct runner *runner, const struct runner_command *command, struct err *err);
/* SIGTERM now, SIGKILL after the grace time; ended is called as always.  May be repeated. */
void runner_stop(struct runner *runner);

/* A child of the program that is no part of any command: it and its children are let live when a
 * command ends.  One at a time; forgotten when it has ended. */
void runner_spare(struct runner *runner, pid_t pid);

#endif
