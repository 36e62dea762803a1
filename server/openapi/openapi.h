/* SPDX-License-Identifier: GPL-3.0-or-later
 * The description of the interface for machines (OpenAPI 3.1), made at start from the tables that
 * also serve: routes, schemas of bodies, errors, words.  What those do not know (summaries,
 * answers, query parameters) stands in operations.c, one row for each route. */
#ifndef SERVER_OPENAPI_OPENAPI_H
#define SERVER_OPENAPI_OPENAPI_H

#include "common/buf.h"
#include "common/err.h"
#include "common/schema.h"

#include <stddef.h>

#define OPENAPI_MAX_BYTES ((size_t)4 << 20)

/* Appends the whole document, for the routes of server/routes.c. */
int openapi_write(struct buf *ret_text, struct err *err);

/* Inside server/openapi: a schema as JSON Schema; a failure shows in the buffer. */
void openapi_add_schema(struct buf *b, const struct schema *schema);

struct operation {
    const char *method, *path; /* as in the route table */
    const char *id;            /* operationId; its body's schema has this name */
    const char *summary;
    const char *media;           /* of the answer */
    const struct schema *answer; /* of JSON; NULL: any object */
    bool list;                   /* a list of those */
    const char *statuses;        /* besides 200 and what every such route may answer */
    /* Parameters beside the path's, separated by blanks: queue, queue* (may be repeated), queue!
     * (required), @Range (a header). */
    const char *parameters;
};

extern const struct operation openapi_operations[];
extern const size_t openapi_operation_count;

/* The answers that several files know. */
extern const struct schema answer_agent, answer_client, answer_done, answer_expiry, answer_job,
    answer_job_id, answer_job_row, answer_job_status, answer_lease, answer_refreshed,
    answer_restriction, answer_result, answer_timeline, answer_texts, answer_token;

#endif
