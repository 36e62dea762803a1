/* SPDX-License-Identifier: GPL-3.0-or-later
 * Parses argv in one pass.  The command's own options are known once the command was seen, so they
 * stand behind it; the global ones may stand anywhere. */
#include "cli/arguments.h"

#include <stdlib.h>
#include <string.h>

const struct argument global_arguments[] = {
    {ARG_SERVER, '\0', "server", "URL", "TESTFLINGER_SERVER",
     "the server (default http://127.0.0.1:8000)"},
    {ARG_CLIENT_ID, '\0', "client-id", "ID", "TESTFLINGER_CLIENT_ID",
     "log in as this client (default: anonymous)"},
    {ARG_SECRET_KEY, '\0', "secret-key", "SECRET", "TESTFLINGER_SECRET_KEY",
     "the client's secret; other users may see it in the list of processes"},
    {ARG_SECRET_FILE, '\0', "secret-file", "FILE", "TESTFLINGER_SECRET_FILE",
     "read the client's secret from the first line of a file"},
    {ARG_HELP, 'h', "help", NULL, NULL, "show this help and exit"},
    {ARG_VERSION, '\0', "version", NULL, NULL, "show the version and exit"},
    ARGUMENT_END,
};

struct cursor {
    int argc;
    const char *const *argv;
    int next;
    bool only_positional; /* after -- */
};

static const struct argument *find_name(const struct argument *table, const char *name, size_t len)
{
    for (; table && table->name; table++)
        if (strlen(table->name) == len && strncmp(table->name, name, len) == 0)
            return table;
    return NULL;
}

static const struct argument *find_letter(const struct argument *table, char letter)
{
    for (; table && table->name; table++)
        if (table->letter == letter)
            return table;
    return NULL;
}

static int store(struct cursor *c, const struct argument *row, const char *attached,
                 struct arguments *args, struct err *err)
{
    if (!row->value_name && attached)
        return err_set(err, ERR_BAD_REQUEST, "option --%s takes no value", row->name);
    if (!row->value_name) {
        args->values[row->id] = "";
        return 0;
    }
    if (!attached && c->next >= c->argc)
        return err_set(err, ERR_BAD_REQUEST, "option --%s needs a value", row->name);
    args->values[row->id] = attached ? attached : c->argv[c->next++];
    return 0;
}

static int take_option(struct cursor *c, const char *text, const struct argument *table,
                       struct arguments *args, struct err *err)
{
    const struct argument *row;
    const char *attached = NULL;

    if (text[1] == '-') {
        size_t len = strcspn(text + 2, "=");

        if (text[2 + len] == '=')
            attached = text + 2 + len + 1;
        row = find_name(table, text + 2, len);
        row = row ? row : find_name(global_arguments, text + 2, len);
    } else {
        row = find_letter(table, text[1]);
        row = row ? row : find_letter(global_arguments, text[1]);
        attached = text[2] ? text + 2 : NULL;
    }
    if (!row)
        return err_set(err, ERR_BAD_REQUEST, "unknown option %s%s%s", text,
                       args->command ? " of " : "", args->command ? args->command : "");
    return store(c, row, attached, args, err);
}

static int take_word(const char *text, argument_table_fn *table_of, const struct argument **table,
                     struct arguments *args, struct err *err)
{
    if (!args->command) {
        *table = table_of(text);
        if (!*table)
            return err_set(err, ERR_BAD_REQUEST, "unknown command \"%s\"", text);
        args->command = text;
        return 0;
    }
    if (args->positional)
        return err_set(err, ERR_BAD_REQUEST, "unexpected argument \"%s\"", text);
    args->positional = text;
    return 0;
}

static void fill_from_environment(const struct argument *table, struct arguments *args)
{
    for (; table->name; table++) {
        const char *value = table->environment ? getenv(table->environment) : NULL;

        if (!args->values[table->id] && value && *value)
            args->values[table->id] = value;
    }
}

int arguments_parse(int argc, const char *const *argv, argument_table_fn *table_of,
                    struct arguments *args, struct err *err)
{
    struct cursor c = {argc, argv, 1, false};
    const struct argument *table = NULL;

    while (c.next < c.argc) {
        const char *text = c.argv[c.next++];
        int rc = 0;

        if (!c.only_positional && strcmp(text, "--") == 0)
            c.only_positional = true;
        else if (!c.only_positional && text[0] == '-' && text[1])
            rc = take_option(&c, text, table, args, err);
        else
            rc = take_word(text, table_of, &table, args, err);
        if (rc < 0)
            return -1;
    }
    fill_from_environment(global_arguments, args);
    return 0;
}
