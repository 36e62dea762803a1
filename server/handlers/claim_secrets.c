/* SPDX-License-Identifier: GPL-3.0-or-later
 * The secrets of a claimed job.  The database knows them by the place of their naming in the
 * definition, which only we read. */
#include "server/handlers/claim.h"

#include "common/base64.h"
#include "common/json.h"
#include "common/log.h"
#include "server/crypto/seal.h"

#include <stdio.h>
#include <string.h>

struct opening {
    const struct seal_keys *keys;
    const char *client_id;
    const char *job_id;
    struct json_object *sealed; /* the list, in the order of the namings */
    size_t next;                /* item of it that was not looked at yet */
    struct buf value;           /* wiped after each use */
};

/* The sealed secret for this naming, NULL if there is none. */
static struct json_object *find_sealed(struct opening *o, int64_t number)
{
    struct json_object *item;

    if (o->next >= json_object_array_length(o->sealed))
        return NULL;
    item = json_object_array_get_idx(o->sealed, o->next);
    if (jsn_int(item, "number", -1) != number)
        return NULL;
    o->next++;
    return item;
}

static int read_sealed(struct json_object *item, struct sealed *ret_sealed, struct err *err)
{
    const char *key_id = jsn_text(item, "key_id");
    const char *data_key = jsn_text(item, "data_key");
    const char *value = jsn_text(item, "value");
    struct buf key = BUF_INIT(SEAL_DATA_KEY_SIZE);
    int rc = -1;

    if (key_id && strlen(key_id) < SEAL_KEY_ID_SIZE && data_key && value &&
        base64_decode(data_key, strlen(data_key), &key) == 0 && key.len == SEAL_DATA_KEY_SIZE &&
        base64_decode(value, strlen(value), &ret_sealed->value) == 0) {
        (void)snprintf(ret_sealed->key_id, SEAL_KEY_ID_SIZE, "%s", key_id);
        memcpy(ret_sealed->data_key, buf_text(&key), SEAL_DATA_KEY_SIZE);
        rc = 0;
    }
    buf_done(&key);
    return rc < 0 ? err_set(err, ERR_INTERNAL, "a stored secret is malformed") : 0;
}

/* Fills o->value, which stays empty if that is not possible. */
static void open_one(struct opening *o, struct json_object *item, const char *path)
{
    const struct seal_name name = {o->client_id, path};
    struct sealed sealed = SEALED_INIT;
    struct err err = ERR_INIT;
    int rc;

    if (!o->keys)
        rc = err_set(&err, ERR_NOT_FOUND, "this server has no store for secrets");
    else if (!name.client_id || !path)
        rc = err_set(&err, ERR_INTERNAL, "nobody knows whose secret it is");
    else
        rc = read_sealed(item, &sealed, &err) < 0 ||
                     seal_open(o->keys, &name, &sealed, &o->value, &err) < 0
                 ? -1
                 : 0;
    if (rc < 0)
        log_warning("secret", "job=%s text=\"could not be opened\" error=%s", o->job_id,
                    LOG_VALUE(err.text));
    sealed_done(&sealed);
}

static int add_value(struct opening *o, struct json_object *values, const char *name,
                     struct json_object *path, int64_t number)
{
    struct json_object *item = find_sealed(o, number), *value;

    if (item)
        open_one(o, item, json_object_get_string(path));
    value = json_object_new_string_len(buf_text(&o->value), (int)o->value.len);
    if (o->value.data)
        explicit_bzero(o->value.data, o->value.cap);
    buf_clear(&o->value);
    return value && jsn_set(values, name, value, NULL) == 0 ? 0 : -1;
}

static int replace_all(struct opening *o, struct json_object *test_data, struct err *err)
{
    struct json_object *values = json_object_new_object();
    int64_t number = 0;
    int rc = values ? 0 : -1;

    json_object_object_foreach(jsn_get(test_data, "secrets"), name, path)
    {
        if (rc == 0)
            rc = add_value(o, values, name, path, number++);
    }
    if (rc < 0)
        json_object_put(values);
    else
        rc = jsn_set(test_data, "secrets", values, NULL);
    return rc < 0 ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

static int fill_in(const struct seal_keys *keys, struct json_object *sealed,
                   struct json_object *job, struct buf *ret_body, struct err *err)
{
    const char *id = jsn_text(job, "job_id");
    struct opening o = {.keys = keys,
                        .client_id = jsn_text(job, "client_id"),
                        .job_id = id ? id : "",
                        .sealed = sealed,
                        .value = BUF_INIT(SEAL_SEALED_MAX)};
    struct json_object *test_data = jsn_get(job, "test_data");
    int rc;

    if (!json_object_is_type(jsn_get(test_data, "secrets"), json_type_object) ||
        !json_object_is_type(sealed, json_type_array))
        return err_set(err, ERR_INTERNAL, "job \"%s\" has no secrets of its own", o.job_id);
    rc = replace_all(&o, test_data, err);
    buf_done(&o.value);
    if (rc < 0)
        return -1;
    buf_clear(ret_body);
    return jsn_add_tree(ret_body, job) < 0 ? err_set(err, ERR_INTERNAL, "job is too large") : 0;
}

int claim_open_secrets(const struct seal_keys *keys, const struct buf *sealed, struct buf *body,
                       struct err *err)
{
    struct json_object *job = NULL, *list = NULL;
    int rc = -1;

    if (jsn_parse(buf_text(body), body->len, &job, err) == 0 &&
        jsn_parse(buf_text(sealed), sealed->len, &list, err) == 0)
        rc = fill_in(keys, list, job, body, err);
    else
        (void)err_set(err, ERR_INTERNAL, "a claimed job could not be read");
    json_object_put(list);
    json_object_put(job);
    return rc;
}
