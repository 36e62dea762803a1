/* SPDX-License-Identifier: GPL-3.0-or-later
 * What agents post about a running job. */
#include "server/handlers/handlers.h"

static const struct schema_field code_item = {.type = SCHEMA_INT};

static const struct schema_field result_fields[] = {
    {.name = "status", .type = SCHEMA_MAP, .key_check = check_phase, .items = &code_item},
    {.name = "device_info", .type = SCHEMA_OBJECT},
    {.name = "stopped", .type = SCHEMA_STRING, .one_of = "global_timeout output_timeout"},
    {.name = "job_state", .type = SCHEMA_STRING, .max = NAME_MAX_BYTES},
    {.type = SCHEMA_END},
};
const struct schema schema_result = {.fields = result_fields};

static const struct schema_field log_fields[] = {
    {.name = "fragment_number", .type = SCHEMA_INT, .required = true},
    {.name = "timestamp", .type = SCHEMA_DATETIME, .required = true},
    {.name = "phase", .type = SCHEMA_STRING, .required = true, .check = check_phase},
    {.name = "log_data", .type = SCHEMA_STRING, .required = true, .any_text = true},
    {.type = SCHEMA_END},
};
const struct schema schema_result_log = {.fields = log_fields};
