/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin lease-rule: the times leases follow.  They are the database's, so that all
 * servers go by the same ones. */
#include "server/dbadmin/commands.h"

#include "common/cleanup.h"
#include "common/parse.h"
#include "server/db/db.h"
#include "server/dbadmin/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lease_rule_list_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_lease_rules",
        .sql = "SELECT name, value, meaning FROM tfx.list_lease_rules()",
        .repeatable = true};
    struct db_rows rows;

    (void)arguments;
    if (owner_become(db, err) < 0 || db_query(db, &list, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < db_rows_count(&rows); i++)
        (void)printf("%-16s %8s  %s\n", db_rows_text(&rows, i, 0), db_rows_text(&rows, i, 1),
                     db_rows_text(&rows, i, 2));
    db_rows_done(&rows);
    return 0;
}

int lease_rule_set_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    static const struct db_statement set = {
        .name = "set_lease_rule", .sql = "SELECT tfx.set_lease_rule($1, $2)", .params = 2};
    const char *operand = command_operand(arguments);
    const char *equals = strchr(operand, '=');
    AUTO_FREE char *name = equals ? strndup(operand, (size_t)(equals - operand)) : NULL;
    int64_t value;

    if (!name)
        return err_set(err, ERR_INVALID, "\"%s\" is not NAME=NUMBER", operand);
    if (parse_int64(equals + 1, 0, INT32_MAX, &value, err) < 0)
        return err_prefix(err, "lease rule \"%s\"", name);
    if (owner_become(db, err) < 0)
        return -1;
    return db_run(db, &set, (struct db_param[]){db_text(name), db_int(value)}, err);
}
