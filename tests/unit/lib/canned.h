/* SPDX-License-Identifier: GPL-3.0-or-later
 * A child process that answers HTTP connections with prepared bytes, one connection each.  What it
 * was sent is kept in a file that canned_stop() hands out. */
#ifndef TESTS_UNIT_LIB_CANNED_H
#define TESTS_UNIT_LIB_CANNED_H

#include "common/buf.h"

#include <sys/types.h>

struct canned {
    pid_t pid;
    int port;
    int record_fd; /* all requests, in order */
};

/* replies: NULL terminated; "" closes without an answer, "hang" never answers. */
void canned_start(struct canned *server, const char *const *replies);
/* Ends the child and appends what it received to *ret_requests (may be NULL). */
void canned_stop(struct canned *server, struct buf *ret_requests);

#endif
