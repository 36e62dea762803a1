/* SPDX-License-Identifier: GPL-3.0-or-later
 * Following a job: its output to one file as it comes, its place in the queue and its states to
 * another, until it has ended. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "common/err.h"

#include <stdbool.h>

struct cli;

/* Returns an exit status, or -1 with *err set.  oneshot: prints what there is and returns
 * EXIT_DONE if the job has not ended. */
int follow_job(struct cli *cli, const char *id, bool oneshot, struct err *err);

#endif
