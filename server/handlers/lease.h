/* SPDX-License-Identifier: GPL-3.0-or-later
 * What is asked about leases. */
#ifndef SERVER_HANDLERS_LEASE_H
#define SERVER_HANDLERS_LEASE_H

#include "server/routes.h"

void job_lease(struct app *app, struct turn *turns, size_t count);

#endif
