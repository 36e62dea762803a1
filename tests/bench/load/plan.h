/* SPDX-License-Identifier: GPL-3.0-or-later
 * What is to be asked, by whom and how often: a text file, read once.
 *
 *     list NAME FILE                       one value a line
 *     group NAME connections=N [rate=N] [limit=N] [held=1] ports=N[,N]
 *     step NAME ok=STATUS[,STATUS] [again=STATUS] [mark=1] [meet=1] [waits=1]
 *     GET /v1/job?queue=a HTTP/1.1         the request: header lines, an empty line, the body,
 *     .                                    until a line with a dot alone
 *
 * A step belongs to the group before it; a client of the group goes through its steps in turn,
 * which is a round.  In a request stand
 *     @NAME@    the list's value for this client (number modulo length)
 *     @NAME+@   another one in each round
 *     @client@  number of the client in its group     @round@  number of its round, from 0
 *     @new@     a new UUID for each round             @job@    the job_id in the last answer with
 * one
 *     @next@    one more than the last_fragment_number in the last answer with one
 * Content-Length is added to what has a body. */
#ifndef TESTS_BENCH_LOAD_PLAN_H
#define TESTS_BENCH_LOAD_PLAN_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_NAME_SIZE 32
#define PLAN_LISTS     16
#define PLAN_GROUPS    8
#define PLAN_STEPS     8
#define PLAN_PIECES    32
#define PLAN_STATUSES  4
#define PLAN_PORTS     16
#define PLAN_MAX       ((size_t)64 << 20) /* bytes of a file */
#define CLIENTS_MAX    20000

struct list {
    char name[PLAN_NAME_SIZE];
    char *content; /* cut into lines in place */
    char **items;
    size_t count;
};

enum piece_kind {
    PIECE_TEXT,
    PIECE_EOL, /* a line ends */
    PIECE_LIST,
    PIECE_LIST_ROUND,
    PIECE_CLIENT,
    PIECE_ROUND,
    PIECE_NEW,
    PIECE_JOB,
    PIECE_NEXT,
};

struct text {
    struct piece {
        enum piece_kind kind;
        const char *start; /* into the plan's own text */
        size_t len;
        const struct list *list;
    } pieces[PLAN_PIECES];
    size_t count;
};

/* What stands for the names in a text. */
struct values {
    size_t client;
    uint64_t round;
    const char *new_id;
    const char *job;
    int64_t next;
};

struct step {
    char name[PLAN_NAME_SIZE];
    struct text head, body;
    bool has_body;
    int ok[PLAN_STATUSES]; /* 0: none */
    int64_t again;         /* this status repeats the step; 0: none */
    int64_t mark, meet;    /* a job begins to be waited for with its @new@ id; it has arrived */
    int64_t waits;         /* the answer may take long: nobody waits for it at the end */
};

struct group {
    char name[PLAN_NAME_SIZE];
    int64_t connections;
    int64_t rate;  /* rounds in a second, of all of them; 0: as fast as answers come */
    int64_t limit; /* rounds of all of them; 0: until the time is over */
    int64_t held;  /* begins when it is told to */
    int ports[PLAN_PORTS];
    size_t port_count;
    struct step steps[PLAN_STEPS];
    size_t step_count;
};

struct plan {
    char *content; /* cut into lines in place */
    struct list lists[PLAN_LISTS];
    size_t list_count;
    struct group groups[PLAN_GROUPS];
    size_t group_count;
};

/* *plan starts zeroed; plan_done() in any case. */
int plan_load(struct plan *plan, const char *path, struct err *err);
void plan_done(struct plan *plan);
bool plan_marks(const struct plan *plan);
bool group_waits(const struct group *group);

/* text (of len bytes, kept by the caller) with its names looked up. */
int text_parse(const struct plan *plan, const char *text, size_t len, struct text *ret_text,
               struct err *err);
void text_write(const struct text *text, const struct values *values, struct buf *b);

#endif
