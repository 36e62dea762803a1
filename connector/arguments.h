/* SPDX-License-Identifier: GPL-3.0-or-later
 * The command line: TYPE STAGE -c CONFIG JOB. */
#ifndef CONNECTOR_ARGUMENTS_H
#define CONNECTOR_ARGUMENTS_H

#include "connector/stage.h"

#define EXIT_USAGE 2

struct type;

struct arguments {
    const struct type *type;
    enum stage stage;
    const char *config;
    const char *job;
};

/* Returns -1 if the stage is to be run, else what to exit with at once: all has been said. */
int arguments_parse(struct arguments *args, int argc, char **argv);

#endif
