/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a secret is written as. */
#include "server/handlers/handlers.h"

#include "common/json.h"
#include "server/crypto/seal.h"

/* Time-outs beyond this have no date of four digits for their year. */
#define EXPIRE_AFTER_MAX_S 250000000000

/* null is a time too: never. */
static int check_secret(struct json_object *body, struct err *err)
{
    if (json_object_get_boolean(jsn_get(body, "ephemeral")) && jsn_get(body, "expire_after"))
        return err_set(err, ERR_INVALID, "a single-use secret takes no expire_after");
    return 0;
}

static const struct schema_field secret_fields[] = {
    {.name = "value", .type = SCHEMA_STRING, .required = true, .min = 1, .max = SEAL_VALUE_MAX},
    {.name = "expire_after",
     .type = SCHEMA_INT,
     .nullable = true,
     .min = 1,
     .max = EXPIRE_AFTER_MAX_S},
    {.name = "ephemeral", .type = SCHEMA_BOOL},
    {.type = SCHEMA_END},
};
const struct schema schema_secret = {.fields = secret_fields, .check = check_secret};
