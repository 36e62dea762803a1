/* SPDX-License-Identifier: GPL-3.0-or-later
 * The job as variables for shell commands.
 *
 * Every text, number and boolean of the job has one: TESTFLINGER_ and the keys that lead to it, in
 * capitals, joined by "_", without the "_data" of sections; items of lists are counted from 0.
 *
 *     job_id                      TESTFLINGER_JOB_ID
 *     provision_data.url          TESTFLINGER_PROVISION_URL
 *     provision_data.disks[0].size TESTFLINGER_PROVISION_DISKS_0_SIZE
 *
 * What is no ASCII letter or digit becomes "_".  A variable that is there already, from another key
 * or from outside, stays as it is; values that do not fit into an environment, empty keys' names
 * and secrets (which the agent hands out itself) have none.  The file has everything. */
#ifndef CONNECTOR_JOB_ENVIRONMENT_H
#define CONNECTOR_JOB_ENVIRONMENT_H

#include "common/err.h"

#include <json-c/json.h>

struct environment;

/* Tells on standard error what got no variable. */
int job_environment_add(struct environment *environment, struct json_object *job, struct err *err);

#endif
