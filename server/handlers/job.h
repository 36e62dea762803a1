/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the handlers of jobs only. */
#ifndef SERVER_HANDLERS_JOB_H
#define SERVER_HANDLERS_JOB_H

#include "common/buf.h"
#include "common/err.h"
#include "server/http/request.h"

#define JOB_TEXT_MAX ((size_t)32 << 20) /* escapes may make a body longer */

/* Writes what SQL has to know of a submission, as JSON: names and numbers out of the definition,
 * and what the caller's token allows (api.submit_job). */
int job_facts(const struct request *req, const char *sha256, const char *new_id,
              struct buf *ret_facts, struct err *err);

#endif
