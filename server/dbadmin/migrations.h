/* SPDX-License-Identifier: GPL-3.0-or-later
 * The migrations of this release, read from a directory of files NNNN_name.sql. */
#ifndef SERVER_DBADMIN_MIGRATIONS_H
#define SERVER_DBADMIN_MIGRATIONS_H

#include "common/err.h"
#include "server/crypto/digest.h"

#include <stdbool.h>
#include <stddef.h>

#define MIGRATION_COUNT_MAX 1000
#define SQL_FILE_MAX        (4 << 20)

struct migration {
    int version;
    char *name; /* of the file */
    char *text;
    char sha256[DIGEST_HEX_SIZE];
    bool transactional; /* the file does not begin with "-- no transaction" */
};

struct migrations {
    struct migration *items; /* by version */
    size_t count;
};

/* Refuses file names that do not fit, and versions given twice. */
int migrations_read(const char *dir, struct migrations *ret_migrations, struct err *err);
void migrations_done(struct migrations *migrations);

#endif
