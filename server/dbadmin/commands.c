/* SPDX-License-Identifier: GPL-3.0-or-later
 * The table of commands: name, operand, options, what it does. */
#include "server/dbadmin/commands.h"

#include <stdio.h>
#include <string.h>

#define TAKES(name) (1U << ARG_##name)
#define COMMON      (TAKES(DATABASE) | TAKES(CONFIG) | TAKES(HELP) | TAKES(VERSION))
#define FILES       (TAKES(MIGRATIONS) | TAKES(SQL))
#define LIMITS      (TAKES(MAX_PRIORITY) | TAKES(MAX_RESERVATION))
#define SECRET      (TAKES(SECRET_FILE) | TAKES(GENERATE))

/* clang-format off */
const struct command commands[] = {
    {"migrate", NULL, FILES | TAKES(DRY_RUN) | TAKES(REINSTALL) | TAKES(SERVER_LOGIN),
     "bring the database to this release", migrate_command},
    {"status", NULL, FILES,
     "say what is applied and what is not; exit status 2: something is to be done", status_command},
    {"partitions", NULL, 0,
     "make the partitions of the coming weeks", partitions_command},
    {"reset", NULL, TAKES(YES),
     "remove all jobs, agents and clients but the system admin", reset_command},
    {"client add", "ID", TAKES(ROLE) | SECRET | LIMITS,
     "make a client; ID testflinger-admin is the system admin", client_add_command},
    {"client set-secret", "ID", SECRET,
     "give a client another secret", client_set_secret_command},
    {"client list", NULL, 0,
     "list the clients, without their secrets", client_list_command},
    {"client delete", "ID", 0,
     "remove a client and its tokens", client_delete_command},
    {"client refresh-token", "ID", TAKES(LIFETIME),
     "print a refresh token as JSON, an agent's token file", client_refresh_token_command},
    {"lease-rule list", NULL, 0,
     "list the times leases follow", lease_rule_list_command},
    {"lease-rule set", "NAME=N", 0,
     "change one of them, for all servers", lease_rule_set_command},
    {"queue-policy list", NULL, 0,
     "list the queues with rules of their own", queue_policy_list_command},
    {"queue-policy set", "QUEUE", TAKES(RETRY) | TAKES(STOP_AFTER) | TAKES(LEASE_MAX),
     "say what jobs and agents may do on a queue", queue_policy_set_command},
    {"queue-policy delete", "QUEUE", 0,
     "let the queue be like others", queue_policy_delete_command},
    {"secrets rotate-key", NULL, TAKES(KEY_FILE),
     "wrap all stored secrets with the first key of the key file", secrets_rotate_key_command},
};
/* clang-format on */
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

static size_t words_of(const struct command *command)
{
    return strchr(command->name, ' ') ? 2 : 1;
}

static bool is_named(const struct command *command, const struct arguments *arguments)
{
    size_t first = strcspn(command->name, " ");

    if (arguments->word_count < words_of(command))
        return false;
    if (strncmp(command->name, arguments->words[0], first) != 0 || arguments->words[0][first])
        return false;
    return words_of(command) == 1 || strcmp(command->name + first + 1, arguments->words[1]) == 0;
}

const struct command *command_find(const struct arguments *arguments, const char **ret_operand,
                                   struct err *err)
{
    for (size_t i = 0; i < command_count; i++) {
        size_t words = words_of(&commands[i]);

        if (!is_named(&commands[i], arguments))
            continue;
        if (arguments->word_count > words + (commands[i].operand ? 1 : 0)) {
            err_set(err, ERR_INVALID, "command \"%s\" does not take \"%s\"", commands[i].name,
                    arguments->words[arguments->word_count - 1]);
            return NULL;
        }
        *ret_operand = arguments->word_count > words ? arguments->words[words] : NULL;
        return &commands[i];
    }
    if (arguments->word_count == 0)
        err_set(err, ERR_INVALID, "no command given");
    else
        err_set(err, ERR_INVALID, "unknown command \"%s%s%s\"", arguments->words[0],
                arguments->word_count > 1 ? " " : "",
                arguments->word_count > 1 ? arguments->words[1] : "");
    return NULL;
}

int command_check(const struct command *command, const struct arguments *arguments,
                  const char *operand, struct err *err)
{
    if (command->operand && !operand)
        return err_set(err, ERR_INVALID, "command \"%s\" needs %s", command->name,
                       command->operand);
    for (size_t i = 0; i < ARG_COUNT; i++)
        if (argument_given(arguments, (enum argument)i) && !((COMMON | command->takes) & 1U << i))
            return err_set(err, ERR_INVALID, "command \"%s\" does not take option --%s",
                           command->name, argument_name((enum argument)i));
    return 0;
}

const char *command_operand(const struct arguments *arguments)
{
    return arguments->words[arguments->word_count - 1];
}

void command_print_name(const char *name, int width)
{
    int shown = 0;

    for (; *name; name++, shown++)
        (void)putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
    if (shown < width)
        (void)printf("%*s", width - shown, "");
}

static void print_all(FILE *out)
{
    (void)fputs("Usage: testflinger-dbadmin COMMAND [OPTION]...\n"
                "Looks after the database of a Testflinger server.\n\nCommands:\n",
                out);
    for (size_t i = 0; i < command_count; i++) {
        char left[40];

        (void)snprintf(left, sizeof(left), "%s %s", commands[i].name,
                       commands[i].operand ? commands[i].operand : "");
        (void)fprintf(out, "  %-26s %s\n", left, commands[i].help);
    }
    (void)fputs("\nOptions, not all of them for every command (COMMAND --help):\n", out);
    arguments_print(~0U, out);
}

void command_print_help(const struct command *command, FILE *out)
{
    if (!command) {
        print_all(out);
        return;
    }
    (void)fprintf(out, "Usage: testflinger-dbadmin %s%s%s [OPTION]...\n%c%s.\n\nOptions:\n",
                  command->name, command->operand ? " " : "",
                  command->operand ? command->operand : "",
                  command->help[0] >= 'a' ? command->help[0] - 'a' + 'A' : command->help[0],
                  command->help + 1);
    arguments_print(COMMON | command->takes, out);
}
