/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin: looks after the database.  Parses the command line, opens the database and
 * calls one command of the table.  Exit status: 0, what the command says, 1 for a failure, 64 for a
 * command line that makes no sense. */
#include "config.h"

#include "common/cleanup.h"
#include "server/db/db.h"
#include "server/dbadmin/commands.h"
#include "server/dbadmin/database.h"

#include <stdio.h>
#include <stdlib.h>

#define STATUS_USAGE 64

/* Migrations of large tables take their time. */
#define STATEMENT_TIMEOUT_MS (6 * 3600 * 1000)

static int complain(const struct err *err)
{
    (void)fprintf(stderr, "testflinger-dbadmin: %s\n", err->text);
    return -1;
}

static int run(const struct command *command, const struct arguments *arguments, struct err *err)
{
    AUTO_FREE char *conninfo = NULL;
    struct db_options options = {.application = "testflinger-dbadmin",
                                 .prepare = true,
                                 .connect_timeout_s = 10,
                                 .statement_timeout_ms = STATEMENT_TIMEOUT_MS};
    struct db *db;
    int status;

    if (database_find(arguments, &conninfo, err) < 0)
        return -1;
    options.conninfo = conninfo;
    db = db_new(&options, err);
    if (!db)
        return -1;
    status = command->run(db, arguments, err);
    db_free(db);
    if (status >= 0 && fflush(stdout) != 0)
        return err_set(err, ERR_INTERNAL, "could not write the output");
    return status;
}

int main(int argc, char *argv[])
{
    const struct command *command = NULL;
    const char *operand = NULL;
    struct arguments arguments;
    struct err err = ERR_INIT;
    int status;

    if (arguments_parse(argc, argv, &arguments, &err) < 0)
        return complain(&err), STATUS_USAGE;
    if (argument_given(&arguments, ARG_VERSION)) {
        (void)puts("testflinger-dbadmin " PACKAGE_VERSION);
        return 0;
    }
    if (arguments.word_count > 0 || !argument_given(&arguments, ARG_HELP))
        command = command_find(&arguments, &operand, &err);
    if (argument_given(&arguments, ARG_HELP) && (command || arguments.word_count == 0)) {
        command_print_help(command, stdout);
        return 0;
    }
    if (!command || command_check(command, &arguments, operand, &err) < 0)
        return complain(&err), STATUS_USAGE;
    status = run(command, &arguments, &err);
    return status < 0 ? (complain(&err), EXIT_FAILURE) : status;
}
