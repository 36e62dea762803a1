/* SPDX-License-Identifier: GPL-3.0-or-later
 * The target of a request, "/v1/job?queue=a&queue=b+c", taken apart and decoded.  Knows nothing of
 * connections or routes. */
#ifndef SERVER_HTTP_TARGET_H
#define SERVER_HTTP_TARGET_H

#include "common/err.h"
#include "server/http/request.h"

#include <stdbool.h>
#include <stddef.h>

struct target {
    char *memory; /* everything below points into it, or is freed with it */
    char *path;   /* decoded; %2F has become a slash */
    char *parts;  /* a copy of the path, for the router to cut */
    size_t path_len;
    bool path_valid; /* UTF-8, nothing strange in it; else it names nothing */
    struct pair *query;
    size_t query_count;
};

/* Takes the raw text of the request line.  ERR_BAD_REQUEST if the query is unusable (U+0000, not
 * UTF-8, more than REQUEST_QUERY_MAX parameters); *ret_target is filled in any case but for
 * memory (ERR_INTERNAL) and is released with target_done(). */
int target_parse(const char *raw, struct target *ret_target, struct err *err);
void target_done(struct target *target);

#endif
