/* SPDX-License-Identifier: GPL-3.0-or-later
 * Submissions: those of many clients are made together. */
#ifndef SERVER_STORE_SUBMISSION_H
#define SERVER_STORE_SUBMISSION_H

#include "common/buf.h"
#include "common/err.h"
#include "common/parse.h"

#include <stddef.h>

struct db;

#define SUBMISSIONS_MAX 256

struct submission {
    struct buf definition;    /* the JSON text to keep */
    struct buf facts;         /* JSON: what SQL needs of it and of the caller */
    char job[UUID_TEXT_SIZE]; /* "" at first; of one that is made */
    struct err *err;          /* ERR_NONE at first; of one that is not */
};

/* Makes each as if it came alone, in their order; SUBMISSIONS_MAX at most. */
void submission_store_make(struct db *db, struct submission *submissions, size_t count);

#endif
