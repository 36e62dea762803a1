/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads the directory of migrations.  All files are read before the database is touched, so what is
 * applied is what was checked. */
#include "server/dbadmin/migrations.h"

#include "common/cleanup.h"
#include "common/fs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_DIGITS 4

static const char no_transaction[] = "-- no transaction";

void migrations_done(struct migrations *migrations)
{
    for (size_t i = 0; i < migrations->count; i++) {
        free(migrations->items[i].name);
        free(migrations->items[i].text);
    }
    free(migrations->items);
    *migrations = (struct migrations){NULL, 0};
}

static int is_sql(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 4 && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

static int parse_version(const char *name, int *ret_version, struct err *err)
{
    int version = 0;

    for (int i = 0; i < VERSION_DIGITS; i++) {
        if (!isdigit((unsigned char)name[i]))
            return err_set(err, ERR_INVALID, "migration \"%s\" is not named NNNN_name.sql", name);
        version = version * 10 + (name[i] - '0');
    }
    if (name[VERSION_DIGITS] != '_' || version == 0)
        return err_set(err, ERR_INVALID, "migration \"%s\" is not named NNNN_name.sql", name);
    *ret_version = version;
    return 0;
}

/* The mark may stand on any of the comment lines that open the file. */
static bool is_transactional(const char *text)
{
    while (strncmp(text, "--", 2) == 0) {
        size_t len = strcspn(text, "\n");

        if (len == sizeof(no_transaction) - 1 && strncmp(text, no_transaction, len) == 0)
            return false;
        text += text[len] ? len + 1 : len;
    }
    return true;
}

static int read_one(const char *dir, const char *name, struct migration *ret, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(SQL_FILE_MAX);
    AUTO_FREE char *path = fs_join(dir, name);
    unsigned char hash[DIGEST_SIZE];

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (parse_version(name, &ret->version, err) < 0 || fs_read(path, &text, err) < 0)
        return -1;
    if (strlen(buf_text(&text)) != text.len)
        return err_set(err, ERR_INVALID, "migration \"%s\" holds a NUL byte", name);
    digest_of(buf_text(&text), text.len, hash);
    digest_hex(hash, ret->sha256);
    ret->transactional = is_transactional(buf_text(&text));
    ret->name = strdup(name);
    ret->text = strdup(buf_text(&text));
    if (!ret->name || !ret->text)
        return err_set(err, ERR_INTERNAL, "out of memory");
    return 0;
}

static int read_all(const char *dir, struct dirent **entries, int count, struct migrations *into,
                    struct err *err)
{
    if (count > MIGRATION_COUNT_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d migrations in \"%s\"", MIGRATION_COUNT_MAX,
                       dir);
    into->items = calloc((size_t)count + 1, sizeof(into->items[0]));
    if (!into->items)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (int i = 0; i < count; i++) {
        into->count++; /* from here on migrations_done() sees it, also half made */
        if (read_one(dir, entries[i]->d_name, &into->items[i], err) < 0)
            return -1;
        if (i > 0 && into->items[i].version == into->items[i - 1].version)
            return err_set(err, ERR_INVALID, "migrations \"%s\" and \"%s\" have the same number",
                           entries[i - 1]->d_name, entries[i]->d_name);
    }
    return 0;
}

int migrations_read(const char *dir, struct migrations *ret_migrations, struct err *err)
{
    struct migrations migrations = {NULL, 0};
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_sql, alphasort);
    int rc;

    if (count < 0)
        return err_set_errno(err, errno, "could not read the directory \"%s\"", dir);
    rc = read_all(dir, entries, count, &migrations, err);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (rc == 0 && count == 0)
        rc = err_set(err, ERR_NOT_FOUND, "there are no migrations in \"%s\"", dir);
    if (rc < 0) {
        migrations_done(&migrations);
        return -1;
    }
    *ret_migrations = migrations;
    return 0;
}
