/* SPDX-License-Identifier: GPL-3.0-or-later
 * Command-line arguments by tables: --name, --name VALUE, --name=VALUE, -n, -- and one positional.
 * The tables are also the text of --help. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

enum argument_id {
    ARG_CLIENT_ID,
    ARG_FILENAME,
    ARG_HELP,
    ARG_JSON,
    ARG_ONESHOT,
    ARG_POLL,
    ARG_QUIET,
    ARG_SECRET_FILE,
    ARG_SECRET_KEY,
    ARG_SERVER,
    ARG_VERSION,
    ARG_YAML,
    ARG_COUNT
};

struct argument {
    enum argument_id id;
    char letter;             /* '\0': none */
    const char *name;        /* without the dashes; NULL ends a table */
    const char *value_name;  /* NULL: takes no value */
    const char *environment; /* variable that stands in for it, or NULL */
    const char *help;
};

#define ARGUMENT_END                                                                               \
    {                                                                                              \
        ARG_COUNT, '\0', NULL, NULL, NULL, NULL                                                    \
    }

/* Values point into argv or the environment. */
struct arguments {
    const char *values[ARG_COUNT]; /* NULL: not given; a flag that was given is "" */
    const char *command;
    const char *positional;
};

/* Options that every command takes. */
extern const struct argument global_arguments[];

/* Finds the options of a command by its name; NULL if there is no such command. */
typedef const struct argument *argument_table_fn(const char *command);

/* Options may stand before or behind the command.  Failures are ERR_BAD_REQUEST, and what was
 * parsed before them is kept (--help wins over a later mistake). */
int arguments_parse(int argc, const char *const *argv, argument_table_fn *table_of,
                    struct arguments *args, struct err *err);

static inline bool argument_given(const struct arguments *args, enum argument_id id)
{
    return args->values[id] != NULL;
}

#endif
