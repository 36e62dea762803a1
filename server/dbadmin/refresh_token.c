/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin client refresh-token: what an agent logs in with.  The database gets the
 * token's hash only, so this output is the one chance to keep it. */
#include "server/dbadmin/commands.h"

#include "common/parse.h"
#include "server/crypto/digest.h"
#include "server/crypto/random.h"
#include "server/db/db.h"
#include "server/dbadmin/owner.h"

#include <stdio.h>
#include <string.h>

#define LIFETIME_MAX_S (10 * 366 * 86400LL)

int client_refresh_token_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    static const struct db_statement add = {.name = "add_refresh_token",
                                            .sql = "SELECT api.add_refresh_token($1, $2, $3)",
                                            .params = 3};
    char token[REFRESH_TOKEN_SIZE];
    unsigned char hash[DIGEST_SIZE];
    int64_t lifetime_s;

    if (parse_int64(argument_value(arguments, ARG_LIFETIME), 1, LIFETIME_MAX_S, &lifetime_s, err) <
        0)
        return err_prefix(err, "option --lifetime");
    if (random_text(token, sizeof(token), err) < 0 || owner_become(db, err) < 0)
        return -1;
    digest_of(token, strlen(token), hash);
    const struct db_param params[] = {db_text(command_operand(arguments)),
                                      db_bytes(hash, sizeof(hash)), db_int(lifetime_s)};
    if (db_run(db, &add, params, err) < 0)
        return -1;
    (void)printf("{\"refresh_token\": \"%s\"}\n", token);
    return 0;
}
