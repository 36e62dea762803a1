/* SPDX-License-Identifier: GPL-3.0-or-later
 * One member of one JSON object, wherever tokens come from. */
#include "fetch/token.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "fetch/fetch.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN_FILE_MAX (64 * 1024)

/* An empty token is none. */
static int take_member(const struct buf *text, const char *name, char **ret_token, struct err *err)
{
    struct json_object *json = NULL;
    const char *token;
    char *copy = NULL;
    int rc = 0;

    if (jsn_parse(buf_text(text), text->len, &json, NULL) < 0)
        return err_set(err, ERR_INVALID, "it is not JSON");
    token = jsn_text(json, name);
    if (!token || !*token)
        rc = err_set(err, ERR_INVALID, "it has no %s", name);
    else if (!(copy = strdup(token)))
        rc = err_set(err, ERR_INTERNAL, "out of memory");
    (void)json_object_put(json);
    if (rc == 0)
        *ret_token = copy;
    return rc;
}

int fetch_token_read(const char *path, char **ret_token, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(TOKEN_FILE_MAX);

    if (fs_read(path, &text, err) < 0)
        return -1;
    if (take_member(&text, "refresh_token", ret_token, err) < 0)
        return err_prefix(err, "token file \"%s\" cannot be used", path);
    return 0;
}

int fetch_token_ask(struct buf *body, const char *refresh_token)
{
    (void)buf_adds(body, "{\"refresh_token\":");
    (void)jsn_add_string(body, refresh_token, strlen(refresh_token));
    return buf_addc(body, '}');
}

int fetch_token_take(const struct fetch_reply *reply, char **ret_token, struct err *err)
{
    if (take_member(&reply->body, "access_token", ret_token, err) == 0)
        return 0;
    if (err && err->code == ERR_INVALID)
        err->code = ERR_UPSTREAM;
    return err_prefix(err, "the server's answer cannot be used");
}
