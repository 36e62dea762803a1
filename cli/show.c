/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger show JOB [--yaml]: the definition as the server keeps it. */
#include "cli/cli.h"
#include "cli/job.h"
#include "cli/print.h"
#include "cli/session.h"
#include "common/json.h"

static int print_definition(struct cli *cli, const struct fetch_reply *reply, struct err *err)
{
    struct json_object *job = NULL;
    int rc;

    if (!argument_given(&cli->args, ARG_YAML))
        return print_json(cli->out, buf_text(&reply->body), reply->body.len, err);
    if (jsn_parse(buf_text(&reply->body), reply->body.len, &job, err) < 0)
        return -1;
    rc = print_yaml(cli->out, job, err);
    (void)json_object_put(job);
    return rc;
}

int command_show(struct cli *cli, struct err *err)
{
    struct fetch_reply reply;
    char id[UUID_TEXT_SIZE], path[JOB_PATH_SIZE];
    int rc;

    if (job_id_parse(cli->args.positional, id, err) < 0)
        return -1;
    fetch_reply_init(&reply, SESSION_REPLY_MAX);
    rc = session_get(cli->session, job_path(path, "/v1/job/", id, ""), &reply, err);
    if (rc == 0 && reply.status == 204)
        rc = job_unknown(cli->notes, id);
    else if (rc == 0)
        rc = print_definition(cli, &reply, err);
    fetch_reply_done(&reply);
    return rc;
}
