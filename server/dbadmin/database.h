/* SPDX-License-Identifier: GPL-3.0-or-later
 * Which database: --database, else TESTFLINGER_DATABASE, else the server's configuration file. */
#ifndef SERVER_DBADMIN_DATABASE_H
#define SERVER_DBADMIN_DATABASE_H

#include "common/err.h"
#include "server/dbadmin/arguments.h"

/* The caller frees *ret_conninfo. */
int database_find(const struct arguments *arguments, char **ret_conninfo, struct err *err);

#endif
