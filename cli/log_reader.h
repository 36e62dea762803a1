/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads the new output of a job and writes it out while it arrives, each byte once: when an answer
 * was cut off, the next one starts with the same fragments, and what was written is passed over. */
#ifndef CLI_LOG_READER_H
#define CLI_LOG_READER_H

#include "common/err.h"
#include "common/names.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct session;

struct log_reader {
    FILE *out;
    int64_t next_fragment;         /* the first that was not read whole */
    uint64_t written[PHASE_COUNT]; /* bytes written since next_fragment, per phase */
};

void log_reader_init(struct log_reader *r, FILE *out);

/* Asks for output once.  *ret_any tells whether there was some. */
int log_reader_read(struct log_reader *r, struct session *s, const char *id, bool *ret_any,
                    struct err *err);

#endif
