/* SPDX-License-Identifier: GPL-3.0-or-later
 * script: every stage is a command of the lab's own. */
#ifndef CONNECTOR_SCRIPT_H
#define CONNECTOR_SCRIPT_H

#include "connector/connector.h"

/* provision, firmware_update, allocate, cleanup */
stage_fn script_stage;
/* The built-in ones where the configuration has no command. */
stage_fn script_runtest;
stage_fn script_reserve;

#endif
