/* SPDX-License-Identifier: GPL-3.0-or-later
 * Idempotency-Key: a submission that can be sent again without making a second job. */
#include "server/handlers/job.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "server/crypto/digest.h"

#include <stdio.h>
#include <string.h>

int job_digest(struct json_object *object, const char *without,
               char ret_sha256[static DIGEST_HEX_SIZE], struct err *err)
{
    AUTO(buf) struct buf canonical = BUF_INIT(JOB_TEXT_MAX);
    unsigned char hash[DIGEST_SIZE];

    if (jsn_add_canonical_without(&canonical, object, without) < 0)
        return err_set(err, ERR_TOO_LARGE, "job is too large");
    digest_of(buf_text(&canonical), canonical.len, hash);
    digest_hex(hash, ret_sha256);
    return 0;
}

/* Quotes around a key are how the header's draft standard writes it; they are not part of it. */
static void unquote(const char **text, size_t *len)
{
    if (*len >= 2 && (*text)[0] == '"' && (*text)[*len - 1] == '"') {
        (*text)++;
        *len -= 2;
    }
}

/* Anonymous callers share one space of keys: only what nobody else comes upon will do. */
static int take_uuid(const char *text, size_t len, struct job_submission *s, struct err *err)
{
    if (parse_uuid(text, len, s->key, NULL) < 0)
        return err_set(err, ERR_INVALID,
                       "the Idempotency-Key of a caller without a token must be a UUID");
    return 0;
}

int job_key(const struct request *req, struct job_submission *s, struct err *err)
{
    const char *text = request_header(req, "idempotency-key");
    size_t len = text ? strlen(text) : 0;

    s->key[0] = '\0';
    if (!text)
        return 0;
    unquote(&text, &len);
    if (len == 0 || len > JOB_KEY_MAX || !parse_utf8_valid(text, len))
        return err_set(err, ERR_INVALID, "Idempotency-Key is not text of 1 to %d bytes",
                       JOB_KEY_MAX);
    if (!req->caller.client_id && take_uuid(text, len, s, err) < 0)
        return -1;
    if (req->caller.client_id)
        (void)snprintf(s->key, sizeof(s->key), "%.*s", (int)len, text);
    return job_digest(req->json, NULL, s->key_sha256, err);
}
