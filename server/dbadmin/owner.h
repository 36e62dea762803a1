/* SPDX-License-Identifier: GPL-3.0-or-later
 * The role under which the commands work. */
#ifndef SERVER_DBADMIN_OWNER_H
#define SERVER_DBADMIN_OWNER_H

#include "common/err.h"

struct db;

/* Opens the connection and becomes testflinger_owner in it. */
int owner_become(struct db *db, struct err *err);

#endif
