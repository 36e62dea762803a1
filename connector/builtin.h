/* SPDX-License-Identifier: GPL-3.0-or-later
 * Stages that are the same for most types, to be put into a type's row or called by its own
 * function. */
#ifndef CONNECTOR_BUILTIN_H
#define CONNECTOR_BUILTIN_H

#include "connector/connector.h"

struct environment;

/* Runs the job's test_cmds on this machine; their exit status is the stage's. */
stage_fn builtin_runtest;
/* The same in an environment of the caller's making (environment.h). */
int runtest_with(const struct run *run, const struct environment *environment,
                 struct failure *failure);
/* Lets the job's ssh_keys log in, tells how to, and waits until the time is over. */
stage_fn builtin_reserve;

#endif
