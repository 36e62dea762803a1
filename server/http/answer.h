/* SPDX-License-Identifier: GPL-3.0-or-later
 * The life of a struct response, for the loop; handlers see response.h alone. */
#ifndef SERVER_HTTP_ANSWER_H
#define SERVER_HTTP_ANSWER_H

#include "common/err.h"
#include "server/http/response.h"

void response_init(struct response *res);
void response_done(struct response *res);

/* Makes res the answer to err: status, JSON with message and detail (res->error_detail), and
 * Retry-After where it helps.  What a handler had filled in is dropped,
 * but for its notes. */
void response_error(struct response *res, const struct err *err);

#endif
