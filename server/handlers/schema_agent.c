/* SPDX-License-Identifier: GPL-3.0-or-later
 * What an agent reports about itself and about provisioning. */
#include "server/handlers/handlers.h"

static const struct schema_field queue_item = {.type = SCHEMA_STRING, .max = NAME_MAX_BYTES};
static const struct schema_field line_item = {.type = SCHEMA_STRING};

static const struct schema_field agent_fields[] = {
    {.name = "identifier", .type = SCHEMA_STRING},
    {.name = "job_id", .type = SCHEMA_STRING},
    {.name = "location", .type = SCHEMA_STRING},
    {.name = "provision_type", .type = SCHEMA_STRING},
    {.name = "state", .type = SCHEMA_STRING},
    {.name = "comment", .type = SCHEMA_STRING},
    {.name = "queues", .type = SCHEMA_LIST, .items = &queue_item},
    {.name = "log", .type = SCHEMA_LIST, .items = &line_item},
    {.type = SCHEMA_END},
};
const struct schema schema_agent = {.fields = agent_fields};

static const struct schema_field provision_log_fields[] = {
    {.name = "job_id", .type = SCHEMA_STRING, .required = true},
    {.name = "exit_code", .type = SCHEMA_INT, .required = true},
    {.name = "detail", .type = SCHEMA_STRING},
    {.type = SCHEMA_END},
};
const struct schema schema_provision_log = {.fields = provision_log_fields};
