/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin secrets rotate-key: wraps the data keys of all secrets with the newest master
 * key, so that the older ones can be taken out of the file.  A batch is a transaction; whatever
 * stops it, the next run goes on where it was.  Servers may work meanwhile. */
#include "server/dbadmin/commands.h"

#include "common/base64.h"
#include "common/cleanup.h"
#include "server/config.h"
#include "server/crypto/seal.h"
#include "server/db/db.h"
#include "server/dbadmin/owner.h"
#include "server/dbadmin/transaction.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define BATCH 100

enum column { COLUMN_ID, COLUMN_CLIENT, COLUMN_PATH, COLUMN_KEY, COLUMN_DATA_KEY };

struct item {
    int64_t id;
    unsigned char old_key[SEAL_DATA_KEY_SIZE];
    struct sealed sealed; /* without its value, which stays as it is */
};

struct rotation {
    const struct seal_keys *keys;
    int64_t after;            /* id of the last secret that was looked at */
    struct item items[BATCH]; /* to be stored */
    size_t count;
    size_t rewrapped; /* in all, committed */
    size_t failed;
};

static int read_item(const struct db_rows *rows, int row, struct item *ret_item, struct err *err)
{
    const char *text = db_rows_text(rows, row, COLUMN_DATA_KEY);
    struct buf data_key = BUF_INIT(SEAL_DATA_KEY_SIZE);
    struct item item = {.id = db_rows_int(rows, row, COLUMN_ID)};
    int rc = 0;

    (void)snprintf(item.sealed.key_id, SEAL_KEY_ID_SIZE, "%s", db_rows_text(rows, row, COLUMN_KEY));
    if (base64_decode(text, strlen(text), &data_key) < 0 || data_key.len != SEAL_DATA_KEY_SIZE)
        rc = err_set(err, ERR_INVALID, "its data key is malformed");
    else
        memcpy(item.old_key, buf_text(&data_key), SEAL_DATA_KEY_SIZE);
    buf_done(&data_key);
    memcpy(item.sealed.data_key, item.old_key, SEAL_DATA_KEY_SIZE);
    *ret_item = item;
    return rc;
}

/* What cannot be opened is reported and left: the others need not wait for it. */
static void rewrap_row(struct rotation *r, const struct db_rows *rows, int row)
{
    const struct seal_name name = {db_rows_text(rows, row, COLUMN_CLIENT),
                                   db_rows_text(rows, row, COLUMN_PATH)};
    struct item *item = &r->items[r->count];
    struct err err = ERR_INIT;

    if (read_item(rows, row, item, &err) == 0 &&
        seal_rewrap(r->keys, &name, &item->sealed, &err) == 0) {
        r->count++;
        return;
    }
    (void)fprintf(stderr, "testflinger-dbadmin: secret %s: %s\n",
                  db_rows_text(rows, row, COLUMN_ID), err.text);
    r->failed++;
}

/* Returns how many secrets were looked at, -1 for a failure. */
static int rewrap_batch(struct db *db, struct rotation *r, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_other_keys",
        .sql = "SELECT id, client_id, path, key_id, data_key FROM tfx.list_other_keys($1, $2, $3)",
        .params = 3,
    };
    const struct db_param params[] = {db_text(seal_keys_newest(r->keys)), db_int(r->after),
                                      db_int(BATCH)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    int count;

    if (db_query(db, &list, params, &rows, err) < 0)
        return -1;
    count = db_rows_count(&rows);
    r->count = 0;
    for (int row = 0; row < count && row < BATCH; row++)
        rewrap_row(r, &rows, row);
    if (count > 0)
        r->after = db_rows_int(&rows, count - 1, COLUMN_ID);
    return count;
}

/* The body of a transaction, perhaps run more than once. */
static int store_batch(struct db *db, const void *context, struct err *err)
{
    static const struct db_statement rewrap = {
        .name = "rewrap_secret",
        .sql = "SELECT tfx.rewrap_secret($1, $2, $3, $4)",
        .params = 4,
    };
    const struct rotation *r = context;

    for (size_t i = 0; i < r->count; i++) {
        const struct item *item = &r->items[i];
        const struct db_param params[] = {
            db_int(item->id), db_bytes(item->old_key, SEAL_DATA_KEY_SIZE),
            db_text(item->sealed.key_id), db_bytes(item->sealed.data_key, SEAL_DATA_KEY_SIZE)};

        if (db_run(db, &rewrap, params, err) < 0)
            return -1;
    }
    return 0;
}

static int rotate(struct db *db, struct rotation *r, struct err *err)
{
    int count;

    do {
        count = rewrap_batch(db, r, err);
        if (count < 0 || transaction_run(db, store_batch, r, err) < 0)
            return -1;
        r->rewrapped += r->count;
    } while (count == BATCH);
    return 0;
}

/* --key-file, else what the configuration or the environment names. */
static struct seal_keys *find_keys(const struct arguments *arguments, struct err *err)
{
    const char *path = argument_value(arguments, ARG_KEY_FILE);
    const char *config_path = argument_value(arguments, ARG_CONFIG);
    struct config config = {.listen = NULL};
    struct seal_keys *keys = NULL;

    if (!path && config_path) {
        if (config_load(config_path, &config, err) < 0)
            return NULL;
        path = config.secrets_key_file;
    }
    if (path)
        keys = seal_keys_read(path, err);
    else
        (void)err_set(err, ERR_INVALID, "no keys given: use --key-file or --config");
    config_done(&config);
    return keys;
}

int secrets_rotate_key_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    AUTO_FREE struct rotation *r = calloc(1, sizeof(*r));
    struct seal_keys *keys;
    int rc;

    if (!r)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_set_errno(err, errno, "could not forbid core dumps");
    keys = find_keys(arguments, err);
    if (!keys)
        return -1;
    r->keys = keys;
    rc = owner_become(db, err) < 0 ? -1 : rotate(db, r, err);
    if (rc == 0)
        (void)printf("%zu secrets wrapped with key %s\n", r->rewrapped, seal_keys_newest(keys));
    seal_keys_free(keys);
    if (rc < 0)
        return -1;
    return r->failed == 0
               ? 0
               : err_set(err, ERR_INVALID, "%zu secrets are left: keep the keys that wrap them",
                         r->failed);
}
