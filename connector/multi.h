/* SPDX-License-Identifier: GPL-3.0-or-later
 * multi: a job of several devices.  Its agent has no device; provision submits a job for each of
 * provision_data.jobs, which hold their devices until this one ends. */
#ifndef CONNECTOR_MULTI_H
#define CONNECTOR_MULTI_H

#include "connector/connector.h"

struct children;
struct server;

stage_fn multi_provision;
stage_fn multi_runtest;
stage_fn multi_reserve;
stage_fn multi_cleanup;

/* Waits until every child has its device (multi_wait.c) and fills in which; -1 with the reason. */
int multi_wait(const struct run *run, struct server *server, struct children *children,
               struct failure *failure);

#endif
