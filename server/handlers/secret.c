/* SPDX-License-Identifier: GPL-3.0-or-later
 * PUT and DELETE /v1/secrets/{client}/{path...}: everybody's own secrets, and nobody else's.  The
 * value is sealed before it goes to the database. */
#include "server/store/secret.h"

#include "common/json.h"
#include "server/app.h"
#include "server/crypto/seal.h"
#include "server/handlers/handlers.h"

#include <string.h>

#define DEFAULT_LIFETIME_S (365 * INT64_C(86400))

static const char path_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/* Names of these characters, with single slashes between them. */
static int check_path(const char *path, struct err *err)
{
    const char *p = path;

    if (strlen(path) > NAME_MAX_BYTES)
        return err_set(err, ERR_INVALID, "path of a secret is longer than %d bytes",
                       NAME_MAX_BYTES);
    for (;; p++) {
        size_t len = strspn(p, path_characters);

        p += len;
        if (len > 0 && !*p)
            return 0;
        if (len == 0 || *p != '/')
            return err_set(err, ERR_INVALID,
                           "\"%.200s\" is no path of a secret: letters, digits, \"-\" and \"_\", "
                           "with single slashes between",
                           path);
    }
}

/* Who may, in the order of docs/protocol.md. */
static int find_name(const struct app *app, const struct request *req, struct seal_name *ret_name,
                     struct err *err)
{
    const char *client_id = request_param(req, "client");
    const char *path = request_param(req, "path");

    if (!app->seal)
        return err_set(err, ERR_BAD_REQUEST, "this server has no store for secrets");
    if (!req->caller.client_id)
        return err_set(err, ERR_UNAUTHORIZED, "secrets belong to a client: log in to store them");
    if (strcmp(client_id, req->caller.client_id) != 0)
        return err_set(err, ERR_FORBIDDEN, "\"%.200s\" is not the client who asks", client_id);
    if (check_path(path, err) < 0)
        return -1;
    *ret_name = (struct seal_name){client_id, path};
    return 0;
}

/* How long it lives: single use never expires, null is never, nothing is a year. */
static void read_terms(struct json_object *body, struct secret_row *row)
{
    struct json_object *expire_after;

    row->single_use = json_object_get_boolean(jsn_get(body, "ephemeral"));
    row->expire_after_s = row->single_use ? 0 : DEFAULT_LIFETIME_S;
    if (json_object_object_get_ex(body, "expire_after", &expire_after))
        row->expire_after_s = json_object_get_int64(expire_after); /* 0 for null */
}

/* PUT /v1/secrets/{client}/{path...} */
int secret_put(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    struct json_object *value = jsn_get(req->json, "value");
    struct sealed sealed = SEALED_INIT;
    struct secret_row row = {.key_id = sealed.key_id,
                             .data_key = sealed.data_key,
                             .data_key_len = sizeof(sealed.data_key),
                             .value = &sealed.value};
    struct seal_name name;
    int rc;

    if (find_name(app, req, &name, err) < 0)
        return -1;
    row.client_id = name.client_id;
    row.path = name.path;
    read_terms(req->json, &row);
    rc = seal_value(app->seal, &name, json_object_get_string(value),
                    (size_t)json_object_get_string_len(value), &sealed, err);
    if (rc == 0)
        rc = secret_store_put(app->db, &row, &res->body, err);
    sealed_done(&sealed);
    res->content_type = "application/json";
    return rc;
}

/* DELETE /v1/secrets/{client}/{path...} */
int secret_delete(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    struct seal_name name;

    if (find_name(app, req, &name, err) < 0 ||
        secret_store_delete(app->db, name.client_id, name.path, err) < 0)
        return -1;
    return response_ok(res);
}
