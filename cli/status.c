/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger status JOB: one word. */
#include "cli/cli.h"
#include "cli/job.h"
#include "cli/print.h"

int command_status(struct cli *cli, struct err *err)
{
    char id[UUID_TEXT_SIZE];
    struct job_state state;

    if (job_id_parse(cli->args.positional, id, err) < 0 ||
        job_read_state(cli->session, id, &state, err) < 0)
        return -1;
    if (!state.text[0])
        return job_unknown(cli->notes, id);
    (void)fprintf(cli->out, "%s\n", state.text);
    return print_flush(cli->out, err) < 0 ? -1 : EXIT_DONE;
}
