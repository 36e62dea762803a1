/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin client …: makes the first client, and works without a server. */
#include "server/dbadmin/commands.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/names.h"
#include "common/parse.h"
#include "server/db/db.h"
#include "server/dbadmin/owner.h"
#include "server/dbadmin/secret.h"

#include <stdio.h>
#include <string.h>

#define SYSTEM_ADMIN  "testflinger-admin"
#define CLIENT_ID_MAX 1000 /* bytes; see docs/protocol.md */
#define DATA_TEXT_MAX (1 << 20)
#define ID_WIDTH      32

static int check_id(const char *id, struct err *err)
{
    if (!id[0] || strlen(id) > CLIENT_ID_MAX || !parse_utf8_valid(id, strlen(id)))
        return err_set(err, ERR_INVALID, "a client id is 1 to %d bytes of UTF-8", CLIENT_ID_MAX);
    return 0;
}

/* {"QUEUE": N, …} from values like QUEUE=N; a queue's name may hold = too. */
static int add_limits(struct json_object *data, const char *key, const struct arguments *arguments,
                      enum argument argument, struct err *err)
{
    struct json_object *limits;

    if (!argument_given(arguments, argument))
        return 0;
    limits = json_object_new_object();
    if (!limits || json_object_object_add(data, key, limits) != 0) {
        json_object_put(limits);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    for (size_t i = 0; i < arguments->given[argument].count; i++) {
        const char *text = arguments->given[argument].values[i];
        const char *equals = strrchr(text, '=');
        AUTO_FREE char *queue = equals ? strndup(text, (size_t)(equals - text)) : NULL;
        int64_t value;

        if (!queue || !queue[0])
            return err_set(err, ERR_INVALID, "option --%s: \"%s\" is not QUEUE=NUMBER",
                           argument_name(argument), text);
        if (parse_int64(equals + 1, 0, INT32_MAX, &value, err) < 0)
            return err_prefix(err, "option --%s", argument_name(argument));
        if (json_object_object_add(limits, queue, json_object_new_int64(value)) != 0)
            return err_set(err, ERR_INTERNAL, "out of memory");
    }
    return 0;
}

static int add_text(struct json_object *data, const char *key, const char *text, struct err *err)
{
    struct json_object *value = json_object_new_string(text);

    if (value && json_object_object_add(data, key, value) == 0)
        return 0;
    json_object_put(value);
    return err_set(err, ERR_INTERNAL, "out of memory");
}

/* What tfx.add_client() takes. */
static int make_data(struct json_object *data, const struct arguments *arguments, const char *id,
                     const char *hash, struct err *err)
{
    const char *role = argument_value(arguments, ARG_ROLE);

    if (!role)
        role = role_name(strcmp(id, SYSTEM_ADMIN) == 0 ? ROLE_ADMIN : ROLE_CONTRIBUTOR);
    if (role_from_name(role) == ROLE_NONE)
        return err_set(err, ERR_INVALID, "\"%s\" is none of agent, contributor, manager, admin",
                       role);
    if (add_text(data, "role", role, err) < 0 || add_text(data, "secret_hash", hash, err) < 0)
        return -1;
    if (add_limits(data, "max_priority", arguments, ARG_MAX_PRIORITY, err) < 0)
        return -1;
    return add_limits(data, "max_reservation_time", arguments, ARG_MAX_RESERVATION, err);
}

static int add_client(struct db *db, const char *id, struct json_object *data, struct err *err)
{
    static const struct db_statement add = {
        .name = "add_client", .sql = "SELECT tfx.add_client($1, $2::jsonb)", .params = 2};
    AUTO(buf) struct buf text = BUF_INIT(DATA_TEXT_MAX);

    (void)jsn_add_tree(&text, data);
    if (buf_failed(&text))
        return err_set(err, ERR_TOO_LARGE, "the client's limits are too long");
    if (owner_become(db, err) < 0)
        return -1;
    return db_run(db, &add, (struct db_param[]){db_text(id), db_text(buf_text(&text))}, err);
}

static void show_generated(const char *secret)
{
    if (secret[0])
        (void)printf("%s\n", secret);
}

int client_add_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    const char *id = command_operand(arguments);
    char generated[SECRET_GENERATED_SIZE];
    char hash[PASSWORD_HASH_SIZE];
    struct json_object *data;
    int rc;

    if (check_id(id, err) < 0 || secret_hash(arguments, hash, generated, err) < 0)
        return -1;
    data = json_object_new_object();
    if (!data)
        return err_set(err, ERR_INTERNAL, "out of memory");
    rc = make_data(data, arguments, id, hash, err);
    if (rc == 0)
        rc = add_client(db, id, data, err);
    if (rc == 0)
        show_generated(generated);
    json_object_put(data);
    return rc;
}

int client_set_secret_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    static const struct db_statement set = {
        .name = "set_client_secret", .sql = "SELECT tfx.set_client_secret($1, $2)", .params = 2};
    const char *id = command_operand(arguments);
    char generated[SECRET_GENERATED_SIZE];
    char hash[PASSWORD_HASH_SIZE];

    if (secret_hash(arguments, hash, generated, err) < 0 || owner_become(db, err) < 0)
        return -1;
    if (db_run(db, &set, (struct db_param[]){db_text(id), db_text(hash)}, err) < 0)
        return -1;
    show_generated(generated);
    return 0;
}

int client_list_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_client_rows",
        .sql = "SELECT client_id, role, tokens, max_priority, max_reservation_time"
               " FROM tfx.list_client_rows()",
        .repeatable = true};
    struct db_rows rows;

    (void)arguments;
    if (owner_become(db, err) < 0 || db_query(db, &list, NULL, &rows, err) < 0)
        return -1;
    (void)printf("%-32s %-12s %-7s %s\n", "CLIENT", "ROLE", "TOKENS",
                 "MAX_PRIORITY MAX_RESERVATION_TIME");
    for (int i = 0; i < db_rows_count(&rows); i++) {
        command_print_name(db_rows_text(&rows, i, 0), ID_WIDTH);
        (void)printf(" %-12s %-7s %s %s\n", db_rows_text(&rows, i, 1), db_rows_text(&rows, i, 2),
                     db_rows_text(&rows, i, 3), db_rows_text(&rows, i, 4));
    }
    db_rows_done(&rows);
    return 0;
}

int client_delete_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    static const struct db_statement remove = {
        .name = "remove_client", .sql = "SELECT tfx.remove_client($1)", .params = 1};
    const char *id = command_operand(arguments);
    struct db_rows rows;
    bool found;

    if (owner_become(db, err) < 0 ||
        db_query(db, &remove, (struct db_param[]){db_text(id)}, &rows, err) < 0)
        return -1;
    found = db_rows_bool(&rows, 0, 0);
    db_rows_done(&rows);
    return found ? 0 : err_set(err, ERR_NOT_FOUND, "client \"%s\" does not exist", id);
}
