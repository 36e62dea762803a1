/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the handlers of jobs only. */
#ifndef SERVER_HANDLERS_JOB_H
#define SERVER_HANDLERS_JOB_H

#include "common/buf.h"
#include "common/err.h"
#include "common/parse.h"
#include "server/crypto/digest.h"
#include "server/routes.h"

#define JOB_TEXT_MAX ((size_t)32 << 20) /* escapes may make a body longer */
#define JOB_KEY_MAX  255

/* What the server adds to a definition. */
struct job_submission {
    char new_id[UUID_TEXT_SIZE];      /* for a job that brings none */
    char sha256[DIGEST_HEX_SIZE];     /* of the definition in canonical form */
    char key[JOB_KEY_MAX + 1];        /* Idempotency-Key; "": none was sent */
    char key_sha256[DIGEST_HEX_SIZE]; /* of the whole body in canonical form, with a key */
};

/* POST /v1/job */
extern const struct together_handler job_submit;

/* SHA-256 of the canonical text without this member (NULL: with all), in hexadecimal: the same for
 * equal JSON. */
int job_digest(struct json_object *object, const char *without,
               char ret_sha256[static DIGEST_HEX_SIZE], struct err *err);

/* Takes Idempotency-Key, if it was sent.  ERR_INVALID: not a key this caller may use. */
int job_key(const struct request *req, struct job_submission *s, struct err *err);

/* Writes what SQL has to know of a submission, as JSON: names and numbers out of the definition,
 * and what the caller's token allows (api.submit_job). */
int job_facts(const struct request *req, const struct job_submission *s, struct buf *ret_facts,
              struct err *err);

#endif
