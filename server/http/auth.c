/* SPDX-License-Identifier: GPL-3.0-or-later
 * Roles and the cache of verified tokens.
 *
 * The cache is a table of fixed size: a token's place is given by its SHA-256, a newcomer replaces
 * what is there.  What is kept is read and checked already.  Requests share it: the loop's thread
 * alone counts them, and whoever works on them only reads (nobody takes references in the tree). */
#include "server/http/auth.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "server/crypto/digest.h"
#include "server/routes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_SLOTS 4096

struct grant {
    size_t users; /* requests, and the cache */
    int64_t expires_at_s;
    enum role role;
    const char *client_id; /* in the permissions */
    struct json_object *permissions;
};

struct slot {
    unsigned char sum[DIGEST_SIZE];
    struct grant *grant; /* NULL: free */
};

struct auth {
    const struct token_keys *keys;
    int64_t leeway_s;
    const struct clock *clock;
    struct slot slots[CACHE_SLOTS];
};

struct auth *auth_new(const struct token_keys *keys, int64_t leeway_s, const struct clock *clock,
                      struct err *err)
{
    struct auth *auth = calloc(1, sizeof(*auth));

    if (!auth) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    auth->keys = keys;
    auth->leeway_s = leeway_s;
    auth->clock = clock;
    return auth;
}

static void give_up(struct grant *grant)
{
    if (!grant || --grant->users > 0)
        return;
    json_object_put(grant->permissions);
    free(grant);
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        give_up(auth->slots[i].grant);
    free(auth);
}

static bool is_map_of_ints(struct json_object *permissions, const char *key)
{
    struct json_object *map;

    if (!json_object_object_get_ex(permissions, key, &map))
        return true;
    if (!json_object_is_type(map, json_type_object))
        return json_object_is_type(map, json_type_null);
    json_object_object_foreach(map, name, value)
    {
        (void)name;
        if (!json_object_is_type(value, json_type_int))
            return false;
    }
    return true;
}

static bool is_list_of_texts(struct json_object *permissions, const char *key)
{
    struct json_object *list;

    if (!json_object_object_get_ex(permissions, key, &list))
        return true;
    if (!json_object_is_type(list, json_type_array))
        return json_object_is_type(list, json_type_null);
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (!json_object_is_type(json_object_array_get_idx(list, i), json_type_string))
            return false;
    return true;
}

static enum role role_in(struct json_object *permissions)
{
    struct json_object *value;
    char name[16] = "";

    if (!json_object_object_get_ex(permissions, "role", &value) || !value)
        return ROLE_CONTRIBUTOR;
    if (!json_object_is_type(value, json_type_string) ||
        (size_t)json_object_get_string_len(value) >= sizeof(name))
        return ROLE_NONE;
    for (size_t i = 0; i < (size_t)json_object_get_string_len(value); i++) {
        char c = json_object_get_string(value)[i];

        name[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return role_from_name(name);
}

/* Handlers rely on the shape of the permissions, so it is checked here once. */
static int read_permissions(struct grant *grant, struct err *err)
{
    struct json_object *json = grant->permissions;

    grant->client_id = jsn_text(json, "client_id");
    grant->role = role_in(json);
    if (!grant->client_id || !*grant->client_id || grant->role == ROLE_NONE ||
        !is_map_of_ints(json, "max_priority") || !is_map_of_ints(json, "max_reservation_time") ||
        !is_list_of_texts(json, "allowed_queues"))
        return err_set(err, ERR_FORBIDDEN, "permissions in the token are malformed");
    return 0;
}

/* NULL: the token is not valid, or what it says is malformed. */
static struct grant *read_token(const struct auth *auth, const char *token, int64_t now_s,
                                struct err *err)
{
    struct grant *grant = calloc(1, sizeof(*grant));
    struct claims claims;
    int rc;

    if (!grant) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    grant->users = 1;
    rc = token_verify(auth->keys, token, now_s, auth->leeway_s, &claims, err);
    if (rc == 0) {
        grant->expires_at_s = claims.expires_at_s;
        rc = jsn_parse(claims.permissions, strlen(claims.permissions), &grant->permissions, err);
        claims_done(&claims);
    }
    if (rc == 0 && read_permissions(grant, err) == 0)
        return grant;
    give_up(grant);
    return NULL;
}

/* Stays the cache's. */
static struct grant *find_grant(struct auth *auth, const char *token, struct err *err)
{
    int64_t now_s = clock_us(auth->clock) / 1000000;
    unsigned char sum[DIGEST_SIZE];
    struct slot *slot;
    struct grant *grant;

    digest_of(token, strlen(token), sum);
    slot = &auth->slots[(sum[0] << 8 | sum[1]) % CACHE_SLOTS];
    if (slot->grant && slot->grant->expires_at_s > now_s &&
        memcmp(slot->sum, sum, sizeof(sum)) == 0)
        return slot->grant;
    grant = read_token(auth, token, now_s, err);
    if (grant) {
        give_up(slot->grant);
        slot->grant = grant;
        memcpy(slot->sum, sum, sizeof(sum));
    }
    return grant;
}

static int identify(struct auth *auth, const char *header, struct caller *caller, struct err *err)
{
    static const char scheme[] = "Bearer ";
    struct grant *grant;

    if (!header || !*header) {
        caller->role = ROLE_CONTRIBUTOR;
        return 0;
    }
    if (strncmp(header, scheme, sizeof(scheme) - 1) != 0 || !header[sizeof(scheme) - 1])
        return 0; /* somebody, but nobody we know: no role */
    grant = find_grant(auth, header + sizeof(scheme) - 1, err);
    if (!grant)
        return -1;
    grant->users++;
    *caller = (struct caller){.role = grant->role,
                              .client_id = grant->client_id,
                              .authenticated = true,
                              .permissions = grant->permissions,
                              .grant = grant};
    return 0;
}

static int check_role(enum role role, unsigned roles, struct err *err)
{
    AUTO(buf) struct buf names = BUF_INIT(100);

    if (roles & (1u << role))
        return 0;
    for (int r = ROLE_COUNT - 1; r > ROLE_NONE; r--)
        if (roles & (1u << r))
            (void)buf_addf(&names, "%s%s", names.len ? ", " : "", role_name((enum role)r));
    return err_set(err, ERR_FORBIDDEN, "only for the roles %s", buf_text(&names));
}

int auth_check(struct auth *auth, const char *header, unsigned roles, struct caller *ret_caller,
               struct err *err)
{
    *ret_caller = (struct caller){.role = ROLE_NONE};
    if (roles == MAY_PUBLIC) {
        ret_caller->role = ROLE_CONTRIBUTOR;
        return 0;
    }
    if (identify(auth, header, ret_caller, err) < 0)
        return -1;
    return check_role(ret_caller->role, roles, err);
}

void auth_release(struct caller *caller)
{
    give_up(caller->grant);
    *caller = (struct caller){.role = ROLE_NONE};
}
