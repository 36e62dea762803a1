/* SPDX-License-Identifier: GPL-3.0-or-later
 * Attachments: local files that a job brings along, packed as the agent unpacks them.
 *
 *     test_data:
 *       attachments:
 *         - local: scripts/run.sh       beside the job file
 *           agent: bin/run.sh           becomes test/bin/run.sh in the archive; default: run.sh */
#ifndef CLI_ATTACHMENTS_H
#define CLI_ATTACHMENTS_H

#include "common/err.h"

#include <json-c/json.h>

struct session;

/* Packs the files into out_fd and takes what is of no use to the server ("local") out of the job.
 * Relative paths start at base_dir. */
int attachments_pack(struct json_object *job, const char *base_dir, int out_fd, struct err *err);

/* Sends the archive at path; tries again when the server or the network falters. */
int attachments_send(struct session *s, const char *id, const char *path, struct err *err);

#endif
