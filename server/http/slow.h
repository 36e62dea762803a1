/* SPDX-License-Identifier: GPL-3.0-or-later
 * Which requests took long the last time, so that others are not made together with them again.
 * Bounded: of two that fall on one place the later one is remembered.  One for each loop thread. */
#ifndef SERVER_HTTP_SLOW_H
#define SERVER_HTTP_SLOW_H

#include "server/http/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOW_PLACES 512

struct slow_list {
    uint64_t keys[SLOW_PLACES]; /* 0: free */
    size_t count;
};

/* The same agent asking the same. */
bool slow_list_has(const struct slow_list *list, const struct request *req);
void slow_list_set(struct slow_list *list, const struct request *req, bool slow);

#endif
