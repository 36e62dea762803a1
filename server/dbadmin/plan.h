/* SPDX-License-Identifier: GPL-3.0-or-later
 * The migrations of this release beside those that the database has recorded. */
#ifndef SERVER_DBADMIN_PLAN_H
#define SERVER_DBADMIN_PLAN_H

#include "common/err.h"
#include "server/dbadmin/migrations.h"

#include <stddef.h>

struct db;

enum plan_state {
    PLAN_APPLIED,
    PLAN_PENDING,
    PLAN_CHANGED, /* the file is not the one that was applied */
    PLAN_UNKNOWN, /* applied, and not in this release */
    PLAN_LATE,    /* pending, but a later one is applied */
};

struct plan_row {
    int version;
    enum plan_state state;
    char name[256];
    char applied_at[40];               /* "" if it is not */
    const struct migration *migration; /* NULL: unknown */
};

struct plan {
    struct plan_row *rows; /* by version */
    size_t count;
    size_t pending;
};

/* Reads what the database has recorded; one without any schema has nothing.  *migrations must
 * outlive the plan. */
int plan_make(struct db *db, const struct migrations *migrations, struct plan *ret_plan,
              struct err *err);
void plan_done(struct plan *plan);

/* -1 unless every row is applied or pending, with the reason. */
int plan_check(const struct plan *plan, struct err *err);
const char *plan_state_name(enum plan_state state);

#endif
