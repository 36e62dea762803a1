/* SPDX-License-Identifier: GPL-3.0-or-later
 * Permissions of clients, for managers and admins. */
#include "server/store/client.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/names.h"
#include "server/app.h"
#include "server/config.h"
#include "server/crypto/password.h"
#include "server/handlers/handlers.h"
#include "server/handlers/page.h"
#include "server/wake.h"

#include <string.h>

#define CLIENT_TEXT_MAX ((size_t)4 << 20)

/* GET /v1/client-permissions */
int client_list(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    return page_answer_names(app, req, client_store_list, res, err);
}

/* GET /v1/client-permissions/{id} */
int client_show(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    const char *id;

    if (handler_name(req, "id", &id, err) < 0)
        return -1;
    res->content_type = "application/json";
    return client_store_get(app->db, id, &res->body, err);
}

/* The body with the secret's hash in place of the secret. */
static int write_data(const struct config *config, struct json_object *body, struct buf *data,
                      struct err *err)
{
    const char *secret = jsn_text(body, "client_secret");
    char hash[PASSWORD_HASH_SIZE];
    const char *comma = "";

    if (secret && password_hash(secret, (int)config->bcrypt_cost, hash, err) < 0)
        return -1;
    (void)buf_addc(data, '{');
    json_object_object_foreach(body, key, value)
    {
        bool is_secret = strcmp(key, "client_secret") == 0;

        (void)buf_adds(data, comma);
        (void)jsn_add_string(data, is_secret ? "secret_hash" : key,
                             strlen(is_secret ? "secret_hash" : key));
        (void)buf_addc(data, ':');
        if (is_secret)
            (void)jsn_add_string(data, hash, strlen(hash));
        else
            (void)jsn_add_tree(data, value);
        comma = ",";
    }
    (void)buf_addc(data, '}');
    return buf_failed(data) ? err_set(err, ERR_TOO_LARGE, "permissions are too large") : 0;
}

/* PUT /v1/client-permissions/{id} */
int client_put(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    AUTO(buf) struct buf data = BUF_INIT(CLIENT_TEXT_MAX);
    const char *id;
    bool created;

    if (handler_name(req, "id", &id, err) < 0 ||
        write_data(app->config, req->json, &data, err) < 0 ||
        client_store_put(app->db, id, role_name(req->caller.role), buf_text(&data), &created, err) <
            0)
        return -1;
    response_note(res, created ? AUDIT_CLIENT_CREATED : AUDIT_CLIENT_CHANGED, id);
    res->content_type = "text/plain; charset=utf-8";
    (void)buf_addf(&res->body, "client \"%s\" %s", id, created ? "created" : "changed");
    return 0;
}

/* DELETE /v1/client-permissions/{id} */
int client_delete(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    const char *id;

    if (handler_name(req, "id", &id, err) < 0 || client_store_delete(app->db, id, err) < 0)
        return -1;
    wake_tell_all(app->waker); /* it may have owned any queue */
    response_note(res, AUDIT_CLIENT_DELETED, id);
    return response_ok(res);
}
