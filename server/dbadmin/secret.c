/* SPDX-License-Identifier: GPL-3.0-or-later
 * Secrets never stand on the command line, where every user of the machine could read them. */
#include "server/dbadmin/secret.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/parse.h"
#include "server/crypto/random.h"

#include <string.h>

#define SECRET_MIN_CHARACTERS 15
#define SECRET_COST           12

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static int check(const char *secret, struct err *err)
{
    if (!parse_utf8_valid(secret, strlen(secret)))
        return err_set(err, ERR_INVALID, "the secret is not UTF-8");
    if (characters(secret) < SECRET_MIN_CHARACTERS)
        return err_set(err, ERR_INVALID, "the secret has fewer than %d characters",
                       SECRET_MIN_CHARACTERS);
    if (strlen(secret) > PASSWORD_MAX_BYTES)
        return err_set(err, ERR_INVALID, "the secret has more than %d bytes", PASSWORD_MAX_BYTES);
    return 0;
}

int secret_hash(const struct arguments *arguments, char ret_hash[static PASSWORD_HASH_SIZE],
                char ret_generated[static SECRET_GENERATED_SIZE], struct err *err)
{
    const char *file = argument_value(arguments, ARG_SECRET_FILE);
    char generated[SECRET_GENERATED_SIZE] = "";
    char *secret = NULL;
    int rc;

    if (file && argument_given(arguments, ARG_GENERATE))
        return err_set(err, ERR_INVALID, "--secret-file and --generate exclude each other");
    if (!file && !argument_given(arguments, ARG_GENERATE) && isatty(STDIN_FILENO))
        return err_set(err, ERR_INVALID,
                       "the secret would be seen on the terminal: use "
                       "--generate, --secret-file or a pipe");
    if (argument_given(arguments, ARG_GENERATE))
        rc = random_text(generated, sizeof(generated), err);
    else
        rc = fs_read_secret(file ? file : "/dev/stdin", &secret, err);
    if (rc == 0)
        rc = check(secret ? secret : generated, err);
    if (rc == 0)
        rc = password_hash(secret ? secret : generated, SECRET_COST, ret_hash, err);
    if (rc == 0)
        memcpy(ret_generated, generated, sizeof(generated));
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
    return rc;
}
