/* SPDX-License-Identifier: GPL-3.0-or-later
 * Jobs on their way: when each was submitted, and that it arrived once. */
#ifndef TESTS_BENCH_LOAD_MARKS_H
#define TESTS_BENCH_LOAD_MARKS_H

#include "common/err.h"
#include "common/parse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct marks {
    struct mark *slots; /* NULL: nothing is marked */
    size_t count, met;
    size_t twice;              /* met although it had been */
    size_t unknown;            /* met and never marked */
    int64_t first_us, last_us; /* of the first mark and of the last one met */
};

int marks_init(struct marks *marks, struct err *err);
void marks_done(struct marks *marks);
int marks_add(struct marks *marks, const char *job, int64_t now_us, struct err *err);
/* Returns how long it took, -1 if it was not to be expected. */
int64_t marks_meet(struct marks *marks, const char *job, int64_t now_us);

#endif
