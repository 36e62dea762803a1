/* SPDX-License-Identifier: GPL-3.0-or-later
 * Shapes of answers.  Nothing is checked against them at run time; tests/api/test_openapi.py holds
 * real answers against them. */
#include "server/openapi/openapi.h"

#define TEXT(field)                                                                                \
    {                                                                                              \
        .name = (field), .type = SCHEMA_STRING                                                     \
    }
#define NEEDED(field, kind)                                                                        \
    {                                                                                              \
        .name = (field), .type = (kind), .required = true                                          \
    }
#define OR_NULL(field, kind)                                                                       \
    {                                                                                              \
        .name = (field), .type = (kind), .required = true, .nullable = true                        \
    }
#define END                                                                                        \
    {                                                                                              \
        .type = SCHEMA_END                                                                         \
    }

static const struct schema_field any_text = {.type = SCHEMA_STRING};
static const struct schema_field any_int = {.type = SCHEMA_INT};

static const struct schema_field done_fields[] = {NEEDED("status", SCHEMA_STRING), END};
const struct schema answer_done = {.fields = done_fields};

static const struct schema_field expiry_fields[] = {
    OR_NULL("expires_at", SCHEMA_DATETIME),
    END,
};
const struct schema answer_expiry = {.fields = expiry_fields};

static const struct schema_field restriction_fields[] = {
    NEEDED("queue", SCHEMA_STRING),
    {.name = "owners", .type = SCHEMA_LIST, .items = &any_text, .required = true},
    END,
};
const struct schema answer_restriction = {.fields = restriction_fields};

static const struct schema_field job_id_fields[] = {NEEDED("job_id", SCHEMA_STRING), END};
const struct schema answer_job_id = {.fields = job_id_fields};

static const struct schema_field refreshed_fields[] = {
    NEEDED("access_token", SCHEMA_STRING),
    NEEDED("token_type", SCHEMA_STRING),
    NEEDED("expires_in", SCHEMA_INT),
    END,
};
const struct schema answer_refreshed = {.fields = refreshed_fields};

static const struct schema_field token_fields[] = {
    NEEDED("access_token", SCHEMA_STRING),
    NEEDED("token_type", SCHEMA_STRING),
    NEEDED("expires_in", SCHEMA_INT),
    NEEDED("refresh_token", SCHEMA_STRING),
    END,
};
const struct schema answer_token = {.fields = token_fields};

static const struct schema_field client_fields[] = {
    NEEDED("client_id", SCHEMA_STRING),
    NEEDED("role", SCHEMA_STRING),
    {.name = "max_priority", .type = SCHEMA_MAP, .items = &any_int},
    {.name = "max_reservation_time", .type = SCHEMA_MAP, .items = &any_int},
    {.name = "allowed_queues", .type = SCHEMA_LIST, .items = &any_text},
    TEXT("email"),
    END,
};
const struct schema answer_client = {.fields = client_fields};

/* As submitted, so it is open: POST /v1/job has the fields. */
static const struct schema_field job_fields[] = {
    NEEDED("job_id", SCHEMA_STRING),
    NEEDED("job_queue", SCHEMA_STRING),
    {.name = "exclude_agents", .type = SCHEMA_LIST, .items = &any_text, .required = true},
    TEXT("started_at"),
    TEXT("attachments_status"),
    TEXT("client_id"),
    END,
};
const struct schema answer_job = {.fields = job_fields, .open = true};

static const struct schema_field job_row_fields[] = {
    NEEDED("job_id", SCHEMA_STRING),
    NEEDED("created_at", SCHEMA_DATETIME),
    NEEDED("job_state", SCHEMA_STRING),
    TEXT("job_queue"),
    END,
};
const struct schema answer_job_row = {.fields = job_row_fields};

static const struct schema_field job_status_fields[] = {
    NEEDED("job_id", SCHEMA_STRING),
    NEEDED("job_queue", SCHEMA_STRING),
    NEEDED("job_state", SCHEMA_STRING),
    OR_NULL("outcome", SCHEMA_STRING),
    OR_NULL("phase", SCHEMA_STRING),
    {.name = "exit_codes", .type = SCHEMA_MAP, .items = &any_int, .required = true},
    OR_NULL("agent", SCHEMA_STRING),
    NEEDED("attempt", SCHEMA_INT),
    OR_NULL("waits_for", SCHEMA_STRING),
    OR_NULL("waiting_because", SCHEMA_STRING),
    NEEDED("created_at", SCHEMA_DATETIME),
    OR_NULL("started_at", SCHEMA_DATETIME),
    OR_NULL("finished_at", SCHEMA_DATETIME),
    OR_NULL("position", SCHEMA_INT),
    OR_NULL("estimated_wait", SCHEMA_INT),
    NEEDED("version", SCHEMA_STRING),
    END,
};
const struct schema answer_job_status = {.fields = job_status_fields};

static const struct schema_field lease_fields[] = {
    NEEDED("job_state", SCHEMA_STRING),
    NEEDED("cancelled", SCHEMA_BOOL),
    OR_NULL("expires_at", SCHEMA_DATETIME),
    END,
};
const struct schema answer_lease = {.fields = lease_fields};

static const struct schema_field timeline_fields[] = {
    NEEDED("id", SCHEMA_STRING),       NEEDED("at", SCHEMA_DATETIME),
    NEEDED("what", SCHEMA_STRING),     NEEDED("attempt", SCHEMA_INT),
    OR_NULL("who", SCHEMA_STRING),     OR_NULL("why", SCHEMA_STRING),
    OR_NULL("phase", SCHEMA_STRING),   OR_NULL("exit_code", SCHEMA_INT),
    OR_NULL("outcome", SCHEMA_STRING), END,
};
const struct schema answer_timeline = {.fields = timeline_fields};

/* PHASE_status, PHASE_output and PHASE_serial come with the phases. */
static const struct schema_field result_fields[] = {
    NEEDED("job_state", SCHEMA_STRING),
    {.name = "device_info", .type = SCHEMA_OBJECT},
    END,
};
const struct schema answer_result = {.fields = result_fields, .open = true};

static const struct schema_field agent_fields[] = {
    NEEDED("name", SCHEMA_STRING),
    TEXT("state"),
    {.name = "queues", .type = SCHEMA_LIST, .items = &any_text},
    TEXT("location"),
    TEXT("provision_type"),
    TEXT("job_id"),
    TEXT("comment"),
    TEXT("identifier"),
    {.name = "updated_at", .type = SCHEMA_DATETIME},
    TEXT("provision_streak_type"),
    {.name = "provision_streak_count", .type = SCHEMA_INT},
    {.name = "restricted_to", .type = SCHEMA_OBJECT},
    END,
};
const struct schema answer_agent = {.fields = agent_fields};

static const struct schema_field no_fields[] = {END};
const struct schema answer_texts = {.fields = no_fields, .open = true};
