/* SPDX-License-Identifier: GPL-3.0-or-later
 * A table of fixed size, probed from the hash on. */
#include "tests/bench/load/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS     ((size_t)1 << 20)
#define MARKS_MAX (SLOTS / 2)

struct mark {
    char job[UUID_TEXT_SIZE]; /* "": free */
    bool met;
    int64_t at_us;
};

int marks_init(struct marks *marks, struct err *err)
{
    marks->slots = calloc(SLOTS, sizeof(*marks->slots));
    return marks->slots ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

void marks_done(struct marks *marks)
{
    free(marks->slots);
    marks->slots = NULL;
}

/* Its place, or the free one where it would be. */
static struct mark *find(const struct marks *marks, const char *job)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    size_t slot;

    for (const char *p = job; *p; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    for (slot = hash % SLOTS; marks->slots[slot].job[0]; slot = (slot + 1) % SLOTS)
        if (strcmp(marks->slots[slot].job, job) == 0)
            break;
    return &marks->slots[slot];
}

int marks_add(struct marks *marks, const char *job, int64_t now_us, struct err *err)
{
    struct mark *mark;

    if (marks->count == MARKS_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %zu jobs are waited for", MARKS_MAX);
    mark = find(marks, job);
    (void)snprintf(mark->job, sizeof(mark->job), "%s", job);
    mark->at_us = now_us;
    if (marks->count++ == 0)
        marks->first_us = now_us;
    return 0;
}

int64_t marks_meet(struct marks *marks, const char *job, int64_t now_us)
{
    struct mark *mark = find(marks, job);

    if (!mark->job[0] || mark->met) {
        marks->twice += mark->met;
        marks->unknown += !mark->job[0];
        return -1;
    }
    mark->met = true;
    marks->met++;
    marks->last_us = now_us;
    return now_us - mark->at_us;
}
