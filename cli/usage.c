/* SPDX-License-Identifier: GPL-3.0-or-later
 * Help texts: usage line, what it does, the rows of the tables. */
#include "cli/usage.h"

#include "cli/cli.h"

static const struct {
    int status;
    const char *meaning;
} statuses[] = {
    {EXIT_DONE, "done; for poll and submit --poll: every phase of the job passed"},
    {EXIT_JOB_FAILED, "a phase of the job failed"},
    {EXIT_USAGE, "wrong usage, or a file that cannot be read or is no job"},
    {EXIT_SERVER, "the server cannot be reached or refused, or the output could not be written"},
    {EXIT_CANCELLED, "the job was cancelled"},
    {EXIT_NOTHING, "no such job, or it has no such data"},
    {EXIT_INTERRUPTED, "interrupted; a job that was submitted goes on"},
};

static void print_options(const struct argument *table, FILE *out)
{
    for (; table->name; table++) {
        char left[60];

        (void)snprintf(left, sizeof(left), "%c%c%s--%s%s%s", table->letter ? '-' : ' ',
                       table->letter ? table->letter : ' ', table->letter ? ", " : "  ",
                       table->name, table->value_name ? " " : "",
                       table->value_name ? table->value_name : "");
        (void)fprintf(out, "  %-26s  %s\n", left, table->help);
        if (table->environment)
            (void)fprintf(out, "  %-26s  (environment: %s)\n", "", table->environment);
    }
}

void usage_program(FILE *out)
{
    (void)fputs("Usage: testflinger [OPTION]... COMMAND [ARGUMENT]\n"
                "Submit jobs to a Testflinger server and follow them.\n\nCommands:\n",
                out);
    for (const struct command *c = commands; c->name; c++)
        (void)fprintf(out, "  %-12s  %s\n", c->name, c->summary);
    (void)fputs("\nOptions:\n", out);
    print_options(global_arguments, out);
    (void)fputs("\nExit status:\n", out);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        (void)fprintf(out, "  %3d  %s\n", statuses[i].status, statuses[i].meaning);
    (void)fputs("\n\"testflinger COMMAND --help\" tells more about a command.\n", out);
}

void usage_command(const struct command *command, FILE *out)
{
    (void)fprintf(out, "Usage: testflinger [OPTION]... %s%s%s%s\n%s.\n", command->name,
                  command->options->name ? " [OPTION]..." : "", command->positional ? " " : "",
                  command->positional ? command->positional : "", command->summary);
    if (command->description)
        (void)fprintf(out, "\n%s\n", command->description);
    if (command->options->name) {
        (void)fputs("\nOptions of the command:\n", out);
        print_options(command->options, out);
    }
    (void)fputs("\nOptions of every command:\n", out);
    print_options(global_arguments, out);
}
