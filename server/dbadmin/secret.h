/* SPDX-License-Identifier: GPL-3.0-or-later
 * A client's secret: where it comes from, what it must be, and its hash. */
#ifndef SERVER_DBADMIN_SECRET_H
#define SERVER_DBADMIN_SECRET_H

#include "common/err.h"
#include "server/crypto/password.h"
#include "server/dbadmin/arguments.h"

#define SECRET_GENERATED_SIZE 41

/* Takes the secret from --secret-file, makes one (--generate) or reads a line of standard input.
 * ret_generated is the secret if it was made, else "". */
int secret_hash(const struct arguments *arguments, char ret_hash[static PASSWORD_HASH_SIZE],
                char ret_generated[static SECRET_GENERATED_SIZE], struct err *err);

#endif
