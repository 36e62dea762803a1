/* SPDX-License-Identifier: GPL-3.0-or-later
 * Permissions of clients, and refresh tokens. */
#include "server/handlers/handlers.h"

#include "server/crypto/password.h"

#include <string.h>

#define SECRET_MIN_CHARACTERS 15

static int check_queue_name(struct json_object *value, struct err *err)
{
    if (strlen(json_object_get_string(value)) > NAME_MAX_BYTES)
        return err_set(err, ERR_INVALID, "longer than %d bytes", NAME_MAX_BYTES);
    return 0;
}

static const struct schema_field limit_item = {.type = SCHEMA_INT};

static const struct schema_field client_fields[] = {
    {.name = "client_secret",
     .type = SCHEMA_STRING,
     .min = SECRET_MIN_CHARACTERS,
     .max = PASSWORD_MAX_BYTES},
    {.name = "max_priority",
     .type = SCHEMA_MAP,
     .key_check = check_queue_name,
     .items = &limit_item},
    {.name = "max_reservation_time",
     .type = SCHEMA_MAP,
     .key_check = check_queue_name,
     .items = &limit_item},
    {.name = "role", .type = SCHEMA_STRING, .one_of = "admin manager contributor agent"},
    {.name = "email", .type = SCHEMA_EMAIL, .max = NAME_MAX_BYTES},
    {.type = SCHEMA_END},
};
const struct schema schema_client = {.fields = client_fields};

static const struct schema_field refresh_fields[] = {
    {.name = "refresh_token", .type = SCHEMA_STRING, .required = true, .min = 1},
    {.type = SCHEMA_END},
};
const struct schema schema_refresh_token = {.fields = refresh_fields};
