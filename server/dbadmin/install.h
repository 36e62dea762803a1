/* SPDX-License-Identifier: GPL-3.0-or-later
 * The functions, made anew from install.sql: its lines "\ir path" include files, by their place
 * relative to the file that names them; all other lines are SQL. */
#ifndef SERVER_DBADMIN_INSTALL_H
#define SERVER_DBADMIN_INSTALL_H

#include "common/err.h"
#include "server/crypto/digest.h"

#include <stddef.h>

struct db;

#define INSTALL_PIECES_MAX 2000
#define INSTALL_DEPTH_MAX  4

struct install_piece {
    char *path;
    char *text; /* lines are numbered as in the file */
};

struct install {
    struct install_piece *pieces;
    size_t count;
    char sha256[DIGEST_HEX_SIZE]; /* of everything */
};

int install_read(const char *path, struct install *ret_install, struct err *err);
void install_done(struct install *install);

/* Runs all pieces inside the caller's transaction and leaves a mark of what was installed. */
int install_run(const struct install *install, struct db *db, struct err *err);

/* Copies the hash of what is installed, "" if nothing is. */
int install_installed(struct db *db, char ret_sha256[static DIGEST_HEX_SIZE], struct err *err);

#endif
