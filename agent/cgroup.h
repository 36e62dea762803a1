/* SPDX-License-Identifier: GPL-3.0-or-later
 * A control group (version 2) for what a job runs: limits, and an end that nothing escapes.
 *
 * It is made below the agent's own group if that is the agent's to divide: delegated by systemd
 * (Delegate=yes), or writable and not systemd's.  Where it is not, the agent works without. */
#ifndef AGENT_CGROUP_H
#define AGENT_CGROUP_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

struct cgroup;

struct cgroup_limits {
    int64_t memory_max; /* bytes; 0: none, here and below */
    int64_t pids_max;
};

/* The directory of this process's group, if groups may be made in there. */
int cgroup_find(struct buf *ret_dir, struct err *err);

/* The group in that directory that is the agent's of this name; what an earlier run left in it is
 * killed.  Fails if it cannot be made; if only a limit cannot be set it is made, and *ret_unset
 * (the caller's, 0 bytes) says which and why. */
struct cgroup *cgroup_new(const char *dir, const char *agent, const struct cgroup_limits *limits,
                          struct buf *ret_unset, struct err *err);
/* Kills what is in there and removes the group. */
void cgroup_free(struct cgroup *cgroup);

/* For a job that begins: an empty group with the limits set. */
int cgroup_make(struct cgroup *cgroup, struct err *err);
/* A process that writes "0" to this descriptor is in the group; -1 if none was made. */
int cgroup_door(const struct cgroup *cgroup);
/* Something in there lives. */
bool cgroup_is_populated(const struct cgroup *cgroup);
void cgroup_kill(const struct cgroup *cgroup);
/* How many processes the kernel killed for want of memory, over the life of the group. */
int64_t cgroup_oom_kills(const struct cgroup *cgroup);
/* The job is over; what is populated stays, for the next cgroup_make() to clear. */
void cgroup_remove(struct cgroup *cgroup);

#endif
