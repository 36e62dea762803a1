/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.check_schema and api.queue_counters. */
#ifndef SERVER_STORE_SERVICE_H
#define SERVER_STORE_SERVICE_H

#include "common/err.h"

#include <stdint.h>

struct db;

/* The schema this server was written for. */
#define SCHEMA_WANTED 1

/* ERR_CONFLICT: the schema is too old, or too new for this server; the text says which was found
 * and which is wanted.  ERR_UNAVAILABLE: the database cannot be reached. */
int service_store_check_schema(struct db *db, struct err *err);

/* What is counted for each queue since the database was made. */
enum queue_counter {
    QUEUE_JOBS,         /* submitted */
    QUEUE_RESERVATIONS, /* those of them with reserve_data */
    QUEUE_CLAIMED,      /* attempts */
    QUEUE_FINISHED,     /* jobs ended, however */
    QUEUE_COUNTERS
};

/* Calls add for each queue. */
struct queue_counters {
    const char *queue;
    int64_t counts[QUEUE_COUNTERS];
};
int service_store_queue_counters(struct db *db,
                                 void (*add)(void *cls, const struct queue_counters *counters),
                                 void *cls, struct err *err);

#endif
