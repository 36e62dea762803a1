/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tokens: a secret buys an access token for minutes and a refresh token for days; the refresh token
 * buys further access tokens until it ends or is revoked. */
#include "server/crypto/token.h"

#include "common/base64.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/parse.h"
#include "server/app.h"
#include "server/config.h"
#include "server/crypto/digest.h"
#include "server/crypto/password.h"
#include "server/crypto/random.h"
#include "server/handlers/handlers.h"
#include "server/store/client.h"

#include <string.h>
#include <strings.h>

#define CREDENTIALS_MAX 4096

/* "Basic base64(id:secret)" -> "id\0secret\0" in *ret_text; *ret_secret points behind the first
 * NUL.  Returns -1 if that is not what the header holds. */
static int parse_basic(const char *header, struct buf *ret_text, const char **ret_secret)
{
    static const char scheme[] = "Basic ";
    const size_t scheme_len = sizeof(scheme) - 1;
    char *colon;

    if (!header || strncasecmp(header, scheme, scheme_len) != 0)
        return -1;
    header += scheme_len;
    if (base64_decode(header, strlen(header), ret_text) < 0 || ret_text->len == 0 ||
        memchr(ret_text->data, '\0', ret_text->len) ||
        !parse_utf8_valid(ret_text->data, ret_text->len))
        return -1;
    colon = memchr(ret_text->data, ':', ret_text->len);
    if (!colon)
        return -1;
    *colon = '\0';
    *ret_secret = colon + 1;
    return 0;
}

/* Takes the same time whether the client exists or not. */
static int log_in(struct app *app, const char *client_id, const char *secret,
                  struct buf *ret_permissions, struct err *err)
{
    AUTO(client_secret) struct client_secret stored = {.hash = NULL};

    if (client_store_secret(app->db, client_id, &stored, err) < 0)
        return -1;
    if (!password_matches(secret, stored.hash, (int)app->config->bcrypt_cost))
        return err_set(err, ERR_UNAUTHORIZED, "client id or secret is wrong");
    if (buf_adds(ret_permissions, stored.permissions) < 0)
        return err_set(err, ERR_INTERNAL, "permissions are too large for a token");
    return 0;
}

static int make_refresh_token(struct app *app, const char *client_id,
                              char ret_token[static REFRESH_TOKEN_SIZE], struct err *err)
{
    unsigned char hash[DIGEST_SIZE];

    if (random_text(ret_token, REFRESH_TOKEN_SIZE, err) < 0)
        return -1;
    digest_of(ret_token, strlen(ret_token), hash);
    return client_store_add_token(app->db, client_id, hash, app->config->refresh_token_lifetime_s,
                                  err);
}

/* refresh_token NULL: the answer has none. */
static int answer(struct app *app, const char *permissions, const char *refresh_token,
                  struct response *res, struct err *err)
{
    const int64_t lifetime_s = app->config->access_token_lifetime_s;
    AUTO_FREE char *token = NULL;

    if (token_make(app->keys, permissions, clock_us(app->clock) / 1000000, lifetime_s, &token,
                   err) < 0)
        return -1;
    res->content_type = "application/json";
    (void)buf_addf(&res->body,
                   "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%lld", token,
                   (long long)lifetime_s);
    if (refresh_token)
        (void)buf_addf(&res->body, ",\"refresh_token\":\"%s\"", refresh_token);
    (void)buf_addc(&res->body, '}');
    return buf_failed(&res->body) ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

static int issue(struct app *app, const char *client_id, const char *secret, struct response *res,
                 struct err *err)
{
    struct buf permissions = BUF_INIT(CLAIMS_MAX_BYTES);
    char refresh_token[REFRESH_TOKEN_SIZE];
    int rc = log_in(app, client_id, secret, &permissions, err);

    if (rc < 0 && err->code == ERR_UNAUTHORIZED)
        response_note(res, AUDIT_LOGIN_FAILED, client_id);
    if (rc == 0)
        rc = make_refresh_token(app, client_id, refresh_token, err);
    if (rc == 0)
        rc = answer(app, buf_text(&permissions), refresh_token, res, err);
    if (rc == 0) {
        response_note(res, AUDIT_LOGIN, client_id);
        response_note(res, AUDIT_TOKEN_CREATED, client_id);
    }
    explicit_bzero(refresh_token, sizeof(refresh_token));
    buf_done(&permissions);
    return rc;
}

/* POST /v1/oauth2/token; whatever the body says does not matter */
int token_issue(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    AUTO(buf) struct buf credentials = BUF_INIT(CREDENTIALS_MAX);
    const char *secret;
    int rc = -1;

    if (parse_basic(request_header(req, "authorization"), &credentials, &secret) < 0) {
        response_note(res, AUDIT_LOGIN_FAILED, "-");
        (void)err_set(err, ERR_UNAUTHORIZED, "a client id and its secret are needed (HTTP Basic)");
    } else {
        rc = issue(app, buf_text(&credentials), secret, res, err);
    }
    if (credentials.data)
        explicit_bzero(credentials.data, credentials.len);
    return rc;
}

static void hash_of_body(const struct request *req, unsigned char ret_hash[static DIGEST_SIZE])
{
    const char *token = jsn_text(req->json, "refresh_token");

    digest_of(token, strlen(token), ret_hash);
}

/* One that was good once tells of a client that does not know, or of somebody who found it. */
static int refuse_token(const struct token_use *use, struct response *res, struct err *err)
{
    bool known = use->client_id != NULL;

    response_note(res, known ? AUDIT_TOKEN_REUSED : AUDIT_TOKEN_REFUSED,
                  known ? use->client_id : "-");
    return err_set(err, ERR_BAD_REQUEST, "refresh token is %s", use->problem);
}

/* POST /v1/oauth2/refresh */
int token_refresh(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    unsigned char hash[DIGEST_SIZE];
    struct token_use use;
    int rc;

    hash_of_body(req, hash);
    if (client_store_use_token(app->db, hash, &use, err) < 0)
        return -1;
    if (use.problem)
        rc = refuse_token(&use, res, err);
    else
        rc = answer(app, use.permissions, NULL, res, err);
    if (rc == 0)
        response_note(res, AUDIT_TOKEN_CREATED, use.client_id);
    token_use_done(&use);
    return rc;
}

/* POST /v1/oauth2/revoke */
int token_revoke(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    static const char done[] = "{\"status\":\"OK\"}";
    unsigned char hash[DIGEST_SIZE];
    struct token_use use;
    int rc = 0;

    hash_of_body(req, hash);
    if (client_store_revoke_token(app->db, hash, &use, err) < 0)
        return -1;
    if (use.problem)
        rc = err_set(err, ERR_BAD_REQUEST, "refresh token is %s", use.problem);
    else
        response_note(res, AUDIT_TOKEN_REVOKED, use.client_id);
    token_use_done(&use);
    return rc < 0 ? -1 : response_json(res, done, strlen(done));
}
