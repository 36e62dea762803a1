/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.check_schema and api.read_series. */
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

/* A value of one of the series that the database keeps (api.read_series). */
struct series_value {
    const char *series;
    const char *label; /* NULL: the series has one value */
    int64_t value;
};
int service_store_series(struct db *db, void (*add)(void *cls, const struct series_value *value),
                         void *cls, struct err *err);

#endif
