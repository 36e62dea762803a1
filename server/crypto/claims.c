/* SPDX-License-Identifier: GPL-3.0-or-later
 * The claims of an access token (docs/protocol.md, "Roles").  The signature library brings a JSON
 * library of its own whose names clash with json-c, hence text on both sides. */
#include "server/crypto/claims.h"

#include "common/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Times beyond this are nobody's; it also keeps the additions below from overflowing. */
#define TIME_MAX_S ((int64_t)1 << 48)

/* A moment: a number, whole or not.  Returns -1 if it is missing or something else. */
static int get_time(struct json_object *json, const char *name, int64_t *ret_s, struct err *err)
{
    struct json_object *value;
    double number;

    if (!json_object_object_get_ex(json, name, &value))
        return err_set(err, ERR_FORBIDDEN, "token lacks the claim \"%s\"", name);
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return err_set(err, ERR_FORBIDDEN, "claim \"%s\" of the token is not a time", name);
    number = json_object_get_double(value);
    if (!isfinite(number) || fabs(number) > (double)TIME_MAX_S)
        return err_set(err, ERR_FORBIDDEN, "claim \"%s\" of the token is out of range", name);
    *ret_s = (int64_t)number;
    return 0;
}

static int check_times(struct json_object *json, int64_t now_s, int64_t leeway_s,
                       int64_t *ret_exp_s, struct err *err)
{
    int64_t exp_s = 0;
    int64_t iat_s = 0;
    int64_t nbf_s = 0;

    if (get_time(json, "exp", &exp_s, err) < 0 || get_time(json, "iat", &iat_s, err) < 0)
        return -1;
    if (json_object_object_get_ex(json, "nbf", NULL) && get_time(json, "nbf", &nbf_s, err) < 0)
        return -1;
    if (exp_s + leeway_s <= now_s)
        return err_set(err, ERR_UNAUTHORIZED, "token has expired");
    if (iat_s - leeway_s > now_s || nbf_s - leeway_s > now_s)
        return err_set(err, ERR_UNAUTHORIZED, "token is not valid yet");
    *ret_exp_s = exp_s + leeway_s;
    return 0;
}

static int check_names(struct json_object *json, struct err *err)
{
    struct json_object *value;

    if (!json_object_object_get_ex(json, "sub", &value))
        return err_set(err, ERR_FORBIDDEN, "token lacks the claim \"sub\"");
    if (!json_object_is_type(value, json_type_string))
        return err_set(err, ERR_FORBIDDEN, "claim \"sub\" of the token is not a text");
    /* our tokens have no audience: one that has was made for somebody else */
    if (json_object_object_get_ex(json, "aud", NULL))
        return err_set(err, ERR_FORBIDDEN, "token is for another audience");
    return 0;
}

static int check_tree(struct json_object *json, int64_t now_s, int64_t leeway_s,
                      struct claims *ret_claims, struct err *err)
{
    struct json_object *permissions;
    struct buf text = BUF_INIT(CLAIMS_MAX_BYTES);
    int64_t expires_at_s = 0;

    if (!json_object_is_type(json, json_type_object))
        return err_set(err, ERR_FORBIDDEN, "token is not an object");
    if (check_times(json, now_s, leeway_s, &expires_at_s, err) < 0 || check_names(json, err) < 0)
        return -1;
    if (!json_object_object_get_ex(json, "permissions", &permissions) ||
        !json_object_is_type(permissions, json_type_object))
        return err_set(err, ERR_FORBIDDEN, "token carries no permissions");
    (void)jsn_add_tree(&text, permissions);
    ret_claims->permissions = buf_take(&text);
    buf_done(&text);
    if (!ret_claims->permissions)
        return err_set(err, ERR_INTERNAL, "out of memory");
    ret_claims->expires_at_s = expires_at_s;
    return 0;
}

int claims_check(const char *text, int64_t now_s, int64_t leeway_s, struct claims *ret_claims,
                 struct err *err)
{
    struct json_object *json;
    struct err why = ERR_INIT;
    int rc;

    if (jsn_parse(text, strlen(text), &json, &why) < 0)
        return err_set(err, ERR_FORBIDDEN, "could not read the token: %s", why.text);
    rc = check_tree(json, now_s, leeway_s, ret_claims, err);
    json_object_put(json);
    return rc;
}

void claims_done(struct claims *claims)
{
    free(claims->permissions);
    claims->permissions = NULL;
}

int claims_write(struct buf *out, const char *permissions, int64_t now_s, int64_t lifetime_s,
                 struct err *err)
{
    (void)buf_addf(out,
                   "{\"exp\":%" PRId64 ",\"iat\":%" PRId64
                   ",\"sub\":\"access_token\",\"permissions\":%s}",
                   now_s + lifetime_s, now_s, permissions);
    if (buf_failed(out))
        return err_set(err, ERR_TOO_LARGE, "permissions do not fit into a token");
    return 0;
}
