/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside server/db only: what a failed statement means. */
#ifndef SERVER_DB_SQLSTATE_H
#define SERVER_DB_SQLSTATE_H

#include "common/err.h"

#include <libpq-fe.h>
#include <stdbool.h>

/* Fills *err from a failed result; returns -1.  Only the primary message is used: DETAIL, HINT and
 * CONTEXT carry values. */
int sqlstate_to_err(const PGresult *result, struct err *err);

/* The five letters, "" if the failure did not come from the server. */
const char *sqlstate_of(const PGresult *result);

/* The server rolled the statement back for a reason that a repetition can cure. */
bool sqlstate_curable(const char *sqlstate);

/* The statement failed because what the server remembers of it is out of date. */
bool sqlstate_stale(const PGresult *result);

#endif
