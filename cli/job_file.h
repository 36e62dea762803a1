/* SPDX-License-Identifier: GPL-3.0-or-later
 * A job as people write it: a file in YAML or JSON, or standard input. */
#ifndef CLI_JOB_FILE_H
#define CLI_JOB_FILE_H

#include "common/err.h"

#include <json-c/json.h>

/* Reads path ("-": standard input) as an object; the caller puts it.  Errors name the file and,
 * where there is one, the line and column. */
int job_file_read(const char *path, struct json_object **ret_job, struct err *err);

#endif
