/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin partitions and reset. */
#include "server/dbadmin/commands.h"

#include "server/db/db.h"
#include "server/dbadmin/owner.h"
#include "server/dbadmin/transaction.h"

#include <stdio.h>

static int partitions_body(struct db *db, const void *context, struct err *err)
{
    static const struct db_statement make = {.name = "make_partitions",
                                             .sql = "SELECT tfx.make_partitions(4)"};

    (void)context;
    return db_run(db, &make, NULL, err);
}

int partitions_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    (void)arguments;
    if (owner_become(db, err) < 0)
        return -1;
    return transaction_run(db, partitions_body, NULL, err);
}

static int reset_body(struct db *db, const void *context, struct err *err)
{
    static const struct db_statement reset = {.name = "reset_data",
                                              .sql = "SELECT tfx.reset_data()"};

    (void)context;
    return db_run(db, &reset, NULL, err);
}

int reset_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    if (!argument_given(arguments, ARG_YES))
        return err_set(err, ERR_INVALID,
                       "this removes all jobs, agents and clients: say --yes if you mean it");
    if (owner_become(db, err) < 0 || transaction_run(db, reset_body, NULL, err) < 0)
        return -1;
    (void)printf("only the system admin is left\n");
    return 0;
}
