/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the commands of testflinger share: the arguments given, the session with the server, where
 * output goes, and what the exit status means.  One file per command, one row per command in
 * commands.c. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/arguments.h"
#include "common/err.h"

#include <stdio.h>

struct session;

/* Documented in the manual page and in --help: scripts rely on these. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_JOB_FAILED = 1, /* a phase of the job ended with an exit status that is not 0 */
    EXIT_USAGE = 2,      /* wrong arguments, a file that cannot be read or is no job */
    EXIT_SERVER = 3,     /* not reachable, or the request was refused */
    EXIT_CANCELLED = 4,  /* the job was cancelled */
    EXIT_NOTHING = 5,    /* no such job, or no such data of it (yet) */
    EXIT_INTERRUPTED = 130,
};

struct cli {
    const struct command *command;
    struct arguments args;
    struct session *session;
    FILE *out;   /* what was asked for */
    FILE *notes; /* everything else: progress, warnings, errors */
};

/* Returns an exit status, or -1 with *err set. */
typedef int (*command_fn)(struct cli *cli, struct err *err);

struct command {
    const char *name;
    const char *positional; /* name of the one positional argument, NULL: none */
    const char *summary;
    const char *description; /* NULL: the summary says it all */
    const struct argument *options;
    command_fn run;
};

extern const struct command commands[]; /* the last row has no name */

int command_artifacts(struct cli *cli, struct err *err);
int command_cancel(struct cli *cli, struct err *err);
int command_list_queues(struct cli *cli, struct err *err);
int command_poll(struct cli *cli, struct err *err);
int command_results(struct cli *cli, struct err *err);
int command_show(struct cli *cli, struct err *err);
int command_status(struct cli *cli, struct err *err);
int command_submit(struct cli *cli, struct err *err);

/* Runs the program and returns its exit status. */
int cli_run(int argc, const char *const *argv, FILE *out, FILE *notes);

#endif
