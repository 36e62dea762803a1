/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a submitted job may hold, and the actions on jobs. */
#include "server/handlers/handlers.h"

#include <ctype.h>
#include <string.h>

#define RETRY_MAX      10
#define BACKOFF_MAX_S  (7 * 86400)
#define PATIENCE_MAX_S (366 * 86400)

/* lp:NAME or gh:NAME, NAME without blanks. */
static int check_ssh_key(struct json_object *value, struct err *err)
{
    const char *text = json_object_get_string(value);

    if ((strncmp(text, "lp:", 3) != 0 && strncmp(text, "gh:", 3) != 0) || !text[3] ||
        strpbrk(text, " \t\r\n\v\f"))
        return err_set(err, ERR_INVALID, "not of the form lp:NAME or gh:NAME");
    return 0;
}

static bool is_word(unsigned char c)
{
    return isalnum(c) || c == '_';
}

static int check_variable_name(struct json_object *value, struct err *err)
{
    const char *text = json_object_get_string(value);

    for (const char *p = text; *p; p++)
        if (!is_word((unsigned char)*p))
            return err_set(err, ERR_INVALID, "not the name of a variable");
    if (!*text || isdigit((unsigned char)*text))
        return err_set(err, ERR_INVALID, "not the name of a variable");
    return 0;
}

static int check_secret_path(struct json_object *value, struct err *err)
{
    const char *text = json_object_get_string(value);

    for (const char *p = text; *p; p++)
        if (!is_word((unsigned char)*p) && *p != '/' && *p != '-')
            return err_set(err, ERR_INVALID, "not the path of a secret");
    return *text ? 0 : err_set(err, ERR_INVALID, "not the path of a secret");
}

static const struct schema_field attachment_fields[] = {
    {.name = "agent", .type = SCHEMA_STRING, .required = true},
    {.name = "device", .type = SCHEMA_STRING},
    {.type = SCHEMA_END},
};
static const struct schema attachment = {.fields = attachment_fields};
const struct schema_field attachment_item = {.type = SCHEMA_OBJECT, .nested = &attachment};

static const struct schema_field secret_item = {.type = SCHEMA_STRING, .check = check_secret_path};
static const struct schema_field ssh_key_item = {.type = SCHEMA_STRING, .check = check_ssh_key};
static const struct schema_field name_item = {.type = SCHEMA_STRING, .max = NAME_MAX_BYTES};

static const struct schema_field test_fields[] = {
    {.name = "test_cmds", .type = SCHEMA_STRING},
    {.name = "attachments", .type = SCHEMA_LIST, .items = &attachment_item},
    {.name = "test_username", .type = SCHEMA_STRING},
    {.name = "test_password", .type = SCHEMA_STRING},
    {.name = "secrets",
     .type = SCHEMA_MAP,
     .key_check = check_variable_name,
     .items = &secret_item},
    {.type = SCHEMA_END},
};
static const struct schema test_data = {.fields = test_fields};

static const struct schema_field reserve_fields[] = {
    {.name = "ssh_keys", .type = SCHEMA_LIST, .items = &ssh_key_item},
    {.name = "timeout", .type = SCHEMA_DURATION, .nullable = true},
    {.type = SCHEMA_END},
};
static const struct schema reserve_data = {.fields = reserve_fields};

static const struct schema_field cause_item = {
    .type = SCHEMA_STRING,
    .one_of = "agent_lost failed infra_failed timed_out "
              "setup provision firmware_update test allocate reserve"};
static const struct schema_field retry_fields[] = {
    {.name = "max", .type = SCHEMA_INT, .required = true, .min = 0, .max = RETRY_MAX},
    {.name = "on", .type = SCHEMA_LIST, .items = &cause_item},
    {.name = "avoid_same_agent", .type = SCHEMA_BOOL},
    {.name = "backoff", .type = SCHEMA_INT, .min = 0, .max = BACKOFF_MAX_S},
    {.type = SCHEMA_END},
};
static const struct schema retry = {.fields = retry_fields};

static const struct schema_field job_fields[] = {
    {.name = "job_queue", .type = SCHEMA_STRING, .required = true, .min = 1, .max = NAME_MAX_BYTES},
    {.name = "job_id", .type = SCHEMA_STRING},
    {.name = "parent_job_id", .type = SCHEMA_STRING, .max = NAME_MAX_BYTES},
    {.name = "name", .type = SCHEMA_STRING},
    {.name = "tags", .type = SCHEMA_LIST, .items = &name_item},
    {.name = "global_timeout", .type = SCHEMA_INT},
    {.name = "output_timeout", .type = SCHEMA_INT},
    {.name = "allocation_timeout", .type = SCHEMA_INT},
    {.name = "provision_data",
     .type = SCHEMA_VARIANT,
     .variants = provision_shapes,
     .nullable = true},
    {.name = "firmware_update_data", .type = SCHEMA_OBJECT},
    {.name = "test_data", .type = SCHEMA_OBJECT, .nested = &test_data},
    {.name = "allocate_data", .type = SCHEMA_OBJECT},
    {.name = "reserve_data", .type = SCHEMA_OBJECT, .nested = &reserve_data},
    {.name = "job_status_webhook", .type = SCHEMA_STRING},
    {.name = "job_priority", .type = SCHEMA_INT},
    {.name = "exclude_agents", .type = SCHEMA_LIST, .items = &name_item, .fallback = "[]"},
    {.name = "debug", .type = SCHEMA_BOOL},
    {.name = "retry", .type = SCHEMA_OBJECT, .nested = &retry},
    {.name = "max_wait", .type = SCHEMA_INT, .min = 1, .max = PATIENCE_MAX_S},
    {.type = SCHEMA_END},
};
const struct schema schema_job = {.fields = job_fields};

static const struct schema_field action_fields[] = {
    {.name = "action", .type = SCHEMA_STRING, .required = true, .one_of = "cancel"},
    {.type = SCHEMA_END},
};
const struct schema schema_job_action = {.fields = action_fields};
