/* SPDX-License-Identifier: GPL-3.0-or-later
 * Events of a job, for its webhook. */
#include "server/handlers/handlers.h"

static const struct schema_field event_fields[] = {
    {.name = "event_name", .type = SCHEMA_STRING, .required = true},
    {.name = "timestamp", .type = SCHEMA_STRING, .required = true},
    {.name = "detail", .type = SCHEMA_STRING},
    {.type = SCHEMA_END},
};
static const struct schema event = {.fields = event_fields};
static const struct schema_field event_item = {.type = SCHEMA_OBJECT, .nested = &event};

static const struct schema_field events_fields[] = {
    {.name = "agent_id", .type = SCHEMA_STRING},
    {.name = "job_queue", .type = SCHEMA_STRING},
    {.name = "job_status_webhook", .type = SCHEMA_URL, .required = true},
    {.name = "events", .type = SCHEMA_LIST, .items = &event_item},
    {.type = SCHEMA_END},
};
const struct schema schema_job_events = {.fields = events_fields};
