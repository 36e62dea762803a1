/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger poll JOB [--oneshot]. */
#include "cli/cli.h"
#include "cli/follow.h"
#include "cli/job.h"

int command_poll(struct cli *cli, struct err *err)
{
    char id[UUID_TEXT_SIZE];

    if (job_id_parse(cli->args.positional, id, err) < 0)
        return -1;
    return follow_job(cli, id, argument_given(&cli->args, ARG_ONESHOT), err);
}
