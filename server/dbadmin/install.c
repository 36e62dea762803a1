/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads install.sql with all it includes and runs it piece by piece.  The hash of the whole is kept
 * as the comment of schema api, so that a second run leaves a busy server's functions alone. */
#include "server/dbadmin/install.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "server/db/session.h"
#include "server/dbadmin/migrations.h"

#include <stdlib.h>
#include <string.h>

static const char include_mark[] = "\\ir ";

struct reader {
    struct install install;
    struct digest digest;
};

void install_done(struct install *install)
{
    for (size_t i = 0; i < install->count; i++) {
        free(install->pieces[i].path);
        free(install->pieces[i].text);
    }
    free(install->pieces);
    *install = (struct install){.pieces = NULL};
}

static int add_piece(struct reader *reader, const char *path, const char *text, struct err *err)
{
    struct install *install = &reader->install;
    struct install_piece piece;

    if (!text[strspn(text, " \t\r\n")])
        return 0;
    if (install->count >= INSTALL_PIECES_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d pieces of SQL", INSTALL_PIECES_MAX);
    piece = (struct install_piece){strdup(path), strdup(text)};
    if (!piece.path || !piece.text) {
        free(piece.path);
        free(piece.text);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    install->pieces[install->count++] = piece;
    return 0;
}

static int read_file(struct reader *reader, const char *path, int depth, struct err *err);

/* name is the rest of the line "\ir name". */
static int include(struct reader *reader, const char *path, const char *name, int depth,
                   struct err *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    AUTO_FREE char *file = strndup(name, strcspn(name, " \t\r\n"));
    AUTO_FREE char *joined = dir && file ? fs_join(dir, file) : NULL;

    if (!joined)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (depth >= INSTALL_DEPTH_MAX)
        return err_set(err, ERR_INVALID, "\"%s\" is included more than %d files deep", joined,
                       INSTALL_DEPTH_MAX);
    return read_file(reader, joined, depth + 1, err);
}

/* The lines before an inclusion are replaced by empty ones behind it: errors name the line. */
static int flush_lines(struct reader *reader, const char *path, struct buf *lines, size_t number,
                       struct err *err)
{
    if (buf_failed(lines))
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (add_piece(reader, path, buf_text(lines), err) < 0)
        return -1;
    buf_clear(lines);
    for (size_t i = 0; i < number; i++)
        (void)buf_addc(lines, '\n');
    return 0;
}

static int read_lines(struct reader *reader, const char *path, const char *text, int depth,
                      struct err *err)
{
    AUTO(buf) struct buf lines = BUF_INIT(2 * SQL_FILE_MAX);
    size_t number = 0;

    while (*text) {
        size_t len = strcspn(text, "\n");

        len += text[len] == '\n';
        number++;
        if (strncmp(text, include_mark, sizeof(include_mark) - 1) == 0) {
            if (flush_lines(reader, path, &lines, number, err) < 0 ||
                include(reader, path, text + sizeof(include_mark) - 1, depth, err) < 0)
                return -1;
        } else {
            (void)buf_add(&lines, text, len);
        }
        text += len;
    }
    return flush_lines(reader, path, &lines, 0, err);
}

static int read_file(struct reader *reader, const char *path, int depth, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(SQL_FILE_MAX);

    if (fs_read(path, &text, err) < 0)
        return -1;
    if (strlen(buf_text(&text)) != text.len)
        return err_set(err, ERR_INVALID, "\"%s\" holds a NUL byte", path);
    digest_add(&reader->digest, buf_text(&text), text.len + 1);
    return read_lines(reader, path, buf_text(&text), depth, err);
}

int install_read(const char *path, struct install *ret_install, struct err *err)
{
    struct reader reader = {.install = {.pieces = NULL}};
    unsigned char hash[DIGEST_SIZE];

    reader.install.pieces = calloc(INSTALL_PIECES_MAX, sizeof(reader.install.pieces[0]));
    if (!reader.install.pieces)
        return err_set(err, ERR_INTERNAL, "out of memory");
    digest_init(&reader.digest);
    if (read_file(&reader, path, 0, err) < 0) {
        install_done(&reader.install);
        return -1;
    }
    digest_finish(&reader.digest, hash);
    digest_hex(hash, reader.install.sha256);
    *ret_install = reader.install;
    return 0;
}

int install_run(const struct install *install, struct db *db, struct err *err)
{
    /* COMMENT takes no parameters, so the server writes the statement, quotes and all. */
    static const struct db_statement mark = {
        .name = "install_mark",
        .sql = "SELECT format('COMMENT ON SCHEMA api IS %L', 'installed from sha256 ' || $1)",
        .params = 1};
    struct db_rows rows;
    int rc;

    for (size_t i = 0; i < install->count; i++) {
        if (db_script(db, install->pieces[i].text, err) < 0)
            return err_prefix(err, "%s", install->pieces[i].path);
    }
    if (db_query(db, &mark, (struct db_param[]){db_text(install->sha256)}, &rows, err) < 0)
        return -1;
    rc = db_script(db, db_rows_text(&rows, 0, 0), err);
    db_rows_done(&rows);
    return rc;
}

int install_installed(struct db *db, char ret_sha256[static DIGEST_HEX_SIZE], struct err *err)
{
    static const struct db_statement installed = {
        .name = "install_installed",
        .sql = "SELECT coalesce(substring(obj_description(oid, 'pg_namespace')"
               " FROM '^installed from sha256 ([0-9a-f]{64})$'), '')"
               " FROM pg_catalog.pg_namespace WHERE nspname = 'api'",
        .repeatable = true};
    struct db_rows rows;

    if (db_query(db, &installed, NULL, &rows, err) < 0)
        return -1;
    ret_sha256[0] = '\0';
    if (db_rows_count(&rows) > 0) {
        const char *text = db_rows_text(&rows, 0, 0);
        memcpy(ret_sha256, text, strlen(text) == DIGEST_HEX_SIZE - 1 ? DIGEST_HEX_SIZE : 1);
    }
    db_rows_done(&rows);
    return 0;
}
