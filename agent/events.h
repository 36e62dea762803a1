/* SPDX-License-Identifier: GPL-3.0-or-later
 * What happened to a job, told to its webhook: after each event the whole list is posted. */
#ifndef AGENT_EVENTS_H
#define AGENT_EVENTS_H

#include "agent/api.h"
#include "agent/context.h"

#include <json-c/json.h>
#include <stdbool.h>

#define EVENTS_MAX 1000

struct events;

/* Everything is borrowed.  Never NULL: a job without webhook has events that nobody hears of. */
struct events *events_new(struct context *context, struct json_object *definition,
                          const struct api_lease *lease, enum api_lane lane);
/* Posts under way are forgotten. */
void events_free(struct events *events);

/* detail may be NULL. */
void events_add(struct events *events, const char *name, const char *detail);

/* Nobody is to hear of anything more. */
void events_mute(struct events *events);

/* True once every event was posted or given up. */
bool events_are_told(const struct events *events);

#endif
