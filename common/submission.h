/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a submission says, for those who send one and for the server alike. */
#ifndef COMMON_SUBMISSION_H
#define COMMON_SUBMISSION_H

#include <json-c/json.h>
#include <stdbool.h>

/* Whether a section of the job ("…_data") has an attachments key, even an empty list: the job then
 * waits until its archive has come. */
bool submission_has_attachments(struct json_object *job);

#endif
