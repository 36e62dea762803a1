/* SPDX-License-Identifier: GPL-3.0-or-later
 * Whose a job's directory is.  Agents may share the directories in which those of jobs lie, and a
 * job may go from one agent to another: what lies under its name then is not what the first one
 * left.
 *
 * The note is a symbolic link ".<job id>" beside the directory with the agent's name as its text.
 * It is made in one step, needs no room on the disk, and is not where a job's commands work. */
#ifndef AGENT_OWNER_H
#define AGENT_OWNER_H

#include "common/err.h"

#include <stdbool.h>

/* From now on it is this agent's, whoever's it was. */
int owner_set(const char *parent, const char *job_id, const char *agent, struct err *err);
bool owner_is(const char *parent, const char *job_id, const char *agent);
/* The directory is gone. */
void owner_clear(const char *parent, const char *job_id);

#endif
