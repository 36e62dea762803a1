/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a type of device connector is, and what its stages are given.
 *
 * The program runs one stage of one type and ends.  A type is a row of the table in types.c: a name
 * and a function for each stage.  A stage function returns the exit status of the program (0: well;
 * that of a command it ran), or -1 with *failure filled (failure.h), which the agent is told.
 *
 * What a type can count on when its function is called: the configuration and the job are read; the
 * working directory is the job's; for provision and allocate device-info.json is written; SIGTERM,
 * SIGINT and SIGHUP are blocked and come through run->stop, which every wait in process.h, ssh.h
 * and stop.h minds: after a signal they fail at once, and so should the stage.  Other processes
 * that the stage starts are its own business, but the agent ends whatever a phase leaves behind. */
#ifndef CONNECTOR_CONNECTOR_H
#define CONNECTOR_CONNECTOR_H

#include "connector/failure.h"
#include "connector/stage.h"

struct config;
struct job;
struct stop;

struct run {
    enum stage stage;
    const struct type *type;
    const struct config *config; /* config.h */
    const struct job *job;       /* job.h */
    const char *dir;             /* of the job: the working directory; absolute, as the next two */
    const char *job_path;        /* the files that config and job were read from */
    const char *config_path;
    struct stop *stop; /* stop.h */
};

typedef int stage_fn(const struct run *run, struct failure *failure);

struct type {
    const char *name;
    const char *help;              /* for --help: what its provision does */
    stage_fn *stages[STAGE_COUNT]; /* NULL: nothing to do, or nothing that can be done */
};

extern const struct type types[]; /* ends with a row without a name */
const struct type *type_find(const char *name);

/* The whole program: arguments to exit status. */
int connector_run(int argc, char **argv);

#endif
