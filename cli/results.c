/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger results JOB: the result as the server tells it.  One with gigabytes of output is
 * passed on as it comes; only one that fits into memory is indented. */
#include "cli/cli.h"
#include "cli/job.h"
#include "cli/print.h"
#include "cli/session.h"
#include "common/buf.h"

#define INDENT_MAX ((size_t)64 << 20)

struct collector {
    struct buf text;
    FILE *out;
    bool passing; /* too large to keep: straight to out from here on */
};

static int collect(void *arg, const char *data, size_t len)
{
    struct collector *c = arg;

    if (!c->passing && buf_add(&c->text, data, len) == 0)
        return 0;
    if (!c->passing) {
        c->passing = true;
        if (fwrite(buf_text(&c->text), 1, c->text.len, c->out) != c->text.len)
            return -1;
    }
    return fwrite(data, 1, len, c->out) == len ? 0 : -1;
}

static int print_collected(struct cli *cli, const struct collector *c, struct err *err)
{
    if (!c->passing)
        return print_json(cli->out, buf_text(&c->text), c->text.len, err);
    (void)fputc('\n', cli->out);
    return print_flush(cli->out, err);
}

int command_results(struct cli *cli, struct err *err)
{
    struct collector c = {.text = BUF_INIT(INDENT_MAX), .out = cli->out};
    struct fetch_reply reply;
    char id[UUID_TEXT_SIZE], path[JOB_PATH_SIZE];
    int rc;

    if (job_id_parse(cli->args.positional, id, err) < 0)
        return -1;
    fetch_reply_init(&reply, SESSION_REPLY_MAX);
    rc = session_stream(cli->session, job_path(path, "/v1/result/", id, ""), collect, &c, &reply,
                        err);
    if (rc == 0 && reply.status == 204)
        rc = job_unknown(cli->notes, id);
    else if (rc == 0)
        rc = print_collected(cli, &c, err);
    fetch_reply_done(&reply);
    buf_done(&c.text);
    return rc;
}
