/* SPDX-License-Identifier: GPL-3.0-or-later
 * A plan under way: its clients, one thread for all of them, and what was seen.
 *
 * A client has one connection and one request under way at most.  In a group with a rate, rounds
 * begin when they are due, whether the answers come or not; the time until a client was free for
 * one counts as part of the first answer's. */
#ifndef TESTS_BENCH_LOAD_RUN_H
#define TESTS_BENCH_LOAD_RUN_H

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/marks.h"
#include "tests/bench/load/plan.h"
#include "tests/bench/load/reply.h"

#include <sys/queue.h>

#define STATUS_MAX 600
#define PIECE_SIZE ((size_t)256 << 10)

struct step_run {
    const struct step *step;
    uint32_t statuses[STATUS_MAX]; /* how often, from the first request on */
    uint64_t bytes_in, bytes_out;  /* of bodies; the rest is of the time that is measured */
    struct histogram times;
};

struct client {
    TAILQ_ENTRY(client) idle;
    struct run *run;
    struct group_run *group;
    size_t number;
    int fd; /* -1: not connected */
    bool busy;
    size_t step;
    uint64_t round;
    int64_t due_us;
    struct buf out;
    size_t sent, body_len;
    struct reply reply;
    char new_id[UUID_TEXT_SIZE], job[UUID_TEXT_SIZE];
    int64_t next;
};

struct group_run {
    const struct group *group;
    struct step_run steps[PLAN_STEPS];
    TAILQ_HEAD(idle_clients, client) idle;
    int64_t next_due_us;
    int64_t begun, ended; /* rounds, all of them; one given up ends too */
    uint64_t rounds;      /* whole ones in the time that is measured */
    uint64_t broken;      /* connections that ended in the middle */
    size_t busy;
};

struct run {
    const struct plan *plan;
    int epoll_fd;
    struct client *clients;
    size_t client_count;
    struct group_run *groups;
    struct marks marks;
    struct histogram delivery;
    char *piece;   /* PIECE_SIZE bytes, for what comes in */
    bool released; /* groups that are held may begin */
    bool measuring, stopping;
    bool dismissed;                        /* it is to end before its time */
    int64_t warm_us, measure_us;           /* how long it shall be */
    int64_t begun_us, warmed_us, ended_us; /* when it was released, and so on; 0: not yet */
};

int64_t run_now_us(void);
int run_init(struct run *run, const struct plan *plan, struct err *err);
void run_done(struct run *run);
/* Until the time is over or all that is limited is done, and what is under way then. */
int run_all(struct run *run, struct err *err);

/* client.c */
int client_connect(struct client *client, struct err *err);
/* Begins a round that was due at that time. */
int client_begin(struct client *client, int64_t due_us, struct err *err);
/* Its socket has something to say. */
int client_ready(struct client *client, uint32_t events, struct err *err);

/* report.c: as JSON on standard output. */
void report_print(const struct run *run);

#endif
