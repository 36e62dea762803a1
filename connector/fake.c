/* SPDX-License-Identifier: GPL-3.0-or-later
 * Shows what a real connector would have been given. */
#include "connector/fake.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "connector/job.h"

#include <stdio.h>

#define SHOWN_MAX ((size_t)64 << 20)

static int show_section(const struct run *run, struct failure *failure)
{
    AUTO(buf) struct buf text = BUF_INIT(SHOWN_MAX);
    const char *name = stage_section(run->stage);

    if (jsn_add_tree(&text, job_section(run->job, name)) < 0)
        return failure_set(failure, FAILURE_JOB, NULL, "%s is too large to be shown", name);
    (void)printf("%s: %s\n", name, buf_text(&text));
    return 0;
}

int fake_provision(const struct run *run, struct failure *failure)
{
    return show_section(run, failure);
}

int fake_firmware_update(const struct run *run, struct failure *failure)
{
    return show_section(run, failure);
}
