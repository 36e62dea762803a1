/* SPDX-License-Identifier: GPL-3.0-or-later
 * The job as the agent received it. */
#ifndef CONNECTOR_JOB_H
#define CONNECTOR_JOB_H

#include "common/err.h"

#include <json-c/json.h>

struct job {
    struct json_object *tree; /* an object */
};

int job_load(struct job *job, const char *path, struct err *err);
void job_done(struct job *job);

/* A section, "provision_data" and the like; NULL if there is none or it is no object.  jsn_text()
 * and the others of common/json.h read what is in it. */
struct json_object *job_section(const struct job *job, const char *name);
/* "" if it has none. */
const char *job_id(const struct job *job);
/* Who tests log in as; NULL: the device's usual user. */
const char *job_username(const struct job *job);
/* NULL: by key. */
const char *job_password(const struct job *job);

#endif
