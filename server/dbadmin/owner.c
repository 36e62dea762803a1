/* SPDX-License-Identifier: GPL-3.0-or-later
 * SET ROLE, with words for the two ways in which it goes wrong. */
#include "server/dbadmin/owner.h"

#include "server/db/session.h"

#include <string.h>

int owner_become(struct db *db, struct err *err)
{
    if (db_hold(db, err) < 0)
        return -1;
    if (db_script(db, "SET ROLE testflinger_owner", err) == 0)
        return 0;
    if (strcmp(db_sqlstate(db), "22023") == 0) /* no such role */
        return err_set(err, ERR_NOT_FOUND,
                       "there is no Testflinger schema in this database: migrate first");
    return err_prefix(err, "could not become role testflinger_owner");
}
