/* SPDX-License-Identifier: GPL-3.0-or-later
 * The environment of a program to be started: ours, and more. */
#ifndef CONNECTOR_ENVIRONMENT_H
#define CONNECTOR_ENVIRONMENT_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

#define ENVIRONMENT_MAX 20000

struct run;

struct environment {
    char **items; /* "NAME=value", NULL terminated once it was filled */
    size_t count;
};

/* A copy of ours (the agent has put the phase's secrets there).  *environment is zeroed before. */
int environment_copy(struct environment *environment, struct err *err);
void environment_done(struct environment *environment);

/* Sets a variable, in place of an older one of the name. */
int environment_set(struct environment *environment, const char *name, const char *value,
                    struct err *err);
bool environment_has(const struct environment *environment, const char *name);

/* As environment_copy, and what tests and commands of the lab may count on: env of the
 * configuration, DEVICE_IP, AGENT_NAME, REBOOT_SCRIPT, DEVICE_SSH_USER, and, where they are
 * configured, DEVICE_SSH_PORT and DEVICE_SSH_IDENTITY. */
int environment_for(struct environment *environment, const struct run *run, struct err *err);

/* For struct process. */
static inline const char *const *environment_items(const struct environment *environment)
{
    return (const char *const *)environment->items;
}

#endif
