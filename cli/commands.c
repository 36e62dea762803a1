/* SPDX-License-Identifier: GPL-3.0-or-later
 * The table of commands. */
#include "cli/cli.h"

static const struct argument none[] = {ARGUMENT_END};

static const struct argument artifacts_options[] = {
    {ARG_FILENAME, '\0', "filename", "FILE", NULL, "where to write them (default artifacts.tgz)"},
    ARGUMENT_END,
};

static const struct argument list_queues_options[] = {
    {ARG_JSON, '\0', "json", NULL, NULL, "print an object of queues and descriptions"},
    ARGUMENT_END,
};

static const struct argument poll_options[] = {
    {ARG_ONESHOT, 'o', "oneshot", NULL, NULL,
     "print the output there is, and do not wait for more"},
    ARGUMENT_END,
};

static const struct argument show_options[] = {
    {ARG_YAML, '\0', "yaml", NULL, NULL, "print YAML instead of JSON"},
    ARGUMENT_END,
};

static const struct argument submit_options[] = {
    {ARG_POLL, 'p', "poll", NULL, NULL, "follow the job's output until it ends, as poll does"},
    {ARG_QUIET, 'q', "quiet", NULL, NULL, "print nothing but the job's id"},
    ARGUMENT_END,
};

const struct command commands[] = {
    {"artifacts", "JOB", "Download the files that a job left behind",
     "The archive (tar.gz) is written under another name and renamed once it is whole.",
     artifacts_options, command_artifacts},
    {"cancel", "JOB", "Cancel a job that waits or runs", NULL, none, command_cancel},
    {"list-queues", NULL, "List the queues that agents advertise",
     "Agents may serve more queues than those they advertise.", list_queues_options,
     command_list_queues},
    {"poll", "JOB", "Follow the output of a job until it ends",
     "The output goes to standard output, everything else to standard error.  When interrupted on\n"
     "a terminal it asks whether to cancel the job; otherwise the job goes on.",
     poll_options, command_poll},
    {"results", "JOB", "Show the results of a job as JSON", NULL, none, command_results},
    {"show", "JOB", "Show the definition of a job", NULL, show_options, command_show},
    {"status", "JOB", "Show the state of a job", NULL, none, command_status},
    {"submit", "FILE", "Submit a job",
     "FILE is a job in YAML or JSON, - is standard input.  Local files named under attachments of\n"
     "a phase are found beside FILE, packed and sent along.",
     submit_options, command_submit},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
