/* SPDX-License-Identifier: GPL-3.0-or-later
 * The frame around a command: arguments, credentials, session, and what a failure is called. */
#include "cli/cli.h"

#include "config.h"

#include "cli/session.h"
#include "cli/usage.h"
#include "common/cleanup.h"
#include "common/fs.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_SERVER "http://127.0.0.1:8000"

static const struct command *find_command(const char *name)
{
    for (const struct command *c = commands; name && c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static const struct argument *options_of(const char *name)
{
    const struct command *command = find_command(name);

    return command ? command->options : NULL;
}

static int wrong_usage(struct cli *cli, const char *text)
{
    (void)fprintf(cli->notes, "testflinger: %s\nTry \"testflinger %s%s--help\".\n", text,
                  cli->command ? cli->command->name : "", cli->command ? " " : "");
    return EXIT_USAGE;
}

/* The secret, from the option or the file that names it; the caller frees it. */
static int find_secret(const struct arguments *args, char **ret_secret, struct err *err)
{
    if (argument_given(args, ARG_SECRET_KEY)) {
        *ret_secret = strdup(args->values[ARG_SECRET_KEY]);
        return *ret_secret ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
    }
    if (argument_given(args, ARG_SECRET_FILE))
        return fs_read_secret(args->values[ARG_SECRET_FILE], ret_secret, err);
    return err_set(err, ERR_BAD_REQUEST, "a client id needs a secret (--secret-file)");
}

static int open_session(struct cli *cli, struct err *err)
{
    const char *server = cli->args.values[ARG_SERVER];
    const char *client_id = cli->args.values[ARG_CLIENT_ID];
    AUTO_FREE char *secret = NULL;

    if (client_id && find_secret(&cli->args, &secret, err) < 0)
        return -1;
    cli->session = session_new(server ? server : DEFAULT_SERVER, client_id, secret, err);
    if (secret)
        explicit_bzero(secret, strlen(secret));
    return cli->session ? 0 : -1;
}

static int run_command(struct cli *cli)
{
    struct err err = ERR_INIT;
    int status = open_session(cli, &err);

    if (status == 0)
        status = cli->command->run(cli, &err);
    if (status < 0) {
        (void)fprintf(cli->notes, "testflinger: %s\n", err.text);
        status = cli->session && session_used(cli->session) ? EXIT_SERVER : EXIT_USAGE;
    }
    session_free(cli->session);
    return status;
}

int cli_run(int argc, const char *const *argv, FILE *out, FILE *notes)
{
    struct cli cli = {.out = out, .notes = notes};
    struct err err = ERR_INIT;
    int rc = arguments_parse(argc, argv, options_of, &cli.args, &err);

    cli.command = find_command(cli.args.command);
    if (argument_given(&cli.args, ARG_HELP)) {
        if (cli.command)
            usage_command(cli.command, out);
        else
            usage_program(out);
        return EXIT_DONE;
    }
    if (argument_given(&cli.args, ARG_VERSION)) {
        (void)fprintf(out, "testflinger %s\n", PACKAGE_VERSION);
        return EXIT_DONE;
    }
    if (rc < 0)
        return wrong_usage(&cli, err.text);
    if (!cli.command)
        return wrong_usage(&cli, "no command given");
    if (cli.command->positional && !cli.args.positional) {
        (void)err_set(&err, ERR_BAD_REQUEST, "%s needs %s", cli.command->name,
                      cli.command->positional);
        return wrong_usage(&cli, err.text);
    }
    if (!cli.command->positional && cli.args.positional)
        return wrong_usage(&cli, "this command takes no argument");
    return run_command(&cli);
}
