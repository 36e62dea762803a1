/* SPDX-License-Identifier: GPL-3.0-or-later
 * The commands of testflinger-dbadmin, as a table. */
#ifndef SERVER_DBADMIN_COMMANDS_H
#define SERVER_DBADMIN_COMMANDS_H

#include "common/err.h"
#include "server/dbadmin/arguments.h"

#include <stddef.h>

struct db;

/* Returns the exit status, or -1 with *err set. */
typedef int (*command_fn)(struct db *db, const struct arguments *arguments, struct err *err);

struct command {
    const char *name;    /* one or two words */
    const char *operand; /* NULL: takes none */
    unsigned takes;      /* options beside those every command takes */
    const char *help;
    command_fn run;
};

extern const struct command commands[];
extern const size_t command_count;

/* What the words name; *ret_operand is the word behind, or NULL. */
const struct command *command_find(const struct arguments *arguments, const char **ret_operand,
                                   struct err *err);
/* Options that the command does not know are refused. */
int command_check(const struct command *command, const struct arguments *arguments,
                  const char *operand, struct err *err);
/* NULL: all of it. */
void command_print_help(const struct command *command, FILE *out);

/* The word that stands behind the command's name. */
const char *command_operand(const struct arguments *arguments);

/* Others chose the name: what would steer the terminal is shown as a question mark. */
void command_print_name(const char *name, int width);

int migrate_command(struct db *db, const struct arguments *arguments, struct err *err);
int status_command(struct db *db, const struct arguments *arguments, struct err *err);
int partitions_command(struct db *db, const struct arguments *arguments, struct err *err);
int queue_policy_delete_command(struct db *db, const struct arguments *arguments, struct err *err);
int queue_policy_list_command(struct db *db, const struct arguments *arguments, struct err *err);
int queue_policy_set_command(struct db *db, const struct arguments *arguments, struct err *err);
int reset_command(struct db *db, const struct arguments *arguments, struct err *err);
int client_add_command(struct db *db, const struct arguments *arguments, struct err *err);
int client_set_secret_command(struct db *db, const struct arguments *arguments, struct err *err);
int client_list_command(struct db *db, const struct arguments *arguments, struct err *err);
int client_delete_command(struct db *db, const struct arguments *arguments, struct err *err);
int client_refresh_token_command(struct db *db, const struct arguments *arguments, struct err *err);
int lease_rule_list_command(struct db *db, const struct arguments *arguments, struct err *err);
int lease_rule_set_command(struct db *db, const struct arguments *arguments, struct err *err);
int secrets_rotate_key_command(struct db *db, const struct arguments *arguments, struct err *err);

#endif
