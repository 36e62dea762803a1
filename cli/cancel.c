/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger cancel JOB. */
#include "cli/cli.h"
#include "cli/job.h"

int command_cancel(struct cli *cli, struct err *err)
{
    char id[UUID_TEXT_SIZE];

    if (job_id_parse(cli->args.positional, id, err) < 0)
        return -1;
    if (job_cancel(cli->session, id, err) < 0)
        return err_prefix(err, "could not cancel job %s", id);
    (void)fprintf(cli->notes, "job %s is cancelled\n", id);
    return EXIT_DONE;
}
