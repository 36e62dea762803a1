/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger submit FILE|- [--poll] [--quiet].  What can fail here fails before the job is there:
 * the file is read and the attachments are packed first. */
#include "cli/attachments.h"
#include "cli/cli.h"
#include "cli/follow.h"
#include "cli/job.h"
#include "cli/job_file.h"
#include "cli/session.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/submission.h"
#include "common/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An archive in a file of its own, which goes away with it. */
struct bundle {
    char path[sizeof("/tmp/testflinger-XXXXXX")];
    int fd; /* -1: none */
};

static void bundle_done(struct bundle *b)
{
    if (b->fd < 0)
        return;
    (void)close(b->fd);
    (void)unlink(b->path);
    b->fd = -1;
}

static int bundle_pack(struct bundle *b, struct json_object *job, const char *file, struct err *err)
{
    AUTO_FREE char *copy = strdup(file);

    if (!copy)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)snprintf(b->path, sizeof(b->path), "/tmp/testflinger-XXXXXX");
    b->fd = mkostemp(b->path, O_CLOEXEC);
    if (b->fd < 0)
        return err_set_errno(err, errno, "could not create a file in /tmp");
    /* "-" has the present directory as its base, as a file without a slash has */
    return attachments_pack(job, dirname(copy), b->fd, err);
}

static int read_id(const struct fetch_reply *reply, char ret_id[static UUID_TEXT_SIZE],
                   struct err *err)
{
    struct json_object *answer = NULL;
    const char *id;
    int rc = -1;

    if (jsn_parse(buf_text(&reply->body), reply->body.len, &answer, err) < 0)
        return err_prefix(err, "could not read the server's answer");
    id = jsn_text(answer, "job_id");
    if (!id || parse_uuid(id, strlen(id), ret_id, NULL) < 0)
        (void)err_set(err, ERR_UPSTREAM, "the server sent no job id");
    else
        rc = 0;
    (void)json_object_put(answer);
    return rc;
}

static int send_job(struct session *s, struct json_object *job, char ret_id[static UUID_TEXT_SIZE],
                    struct err *err)
{
    struct buf text = BUF_INIT(YML_WEIGHT_MAX);
    struct fetch_reply reply;
    int rc = -1;

    fetch_reply_init(&reply, SESSION_REPLY_MAX);
    if (jsn_add_tree(&text, job) < 0)
        (void)err_set(err, ERR_TOO_LARGE, "the job is too large");
    else
        rc = session_post(s, "/v1/job", buf_text(&text), text.len, &reply, err);
    if (rc == 0)
        rc = read_id(&reply, ret_id, err);
    else
        (void)err_prefix(err, "could not submit the job");
    fetch_reply_done(&reply);
    buf_done(&text);
    return rc;
}

/* A job whose attachments never come would wait for ever: it is cancelled. */
static int send_bundle(struct cli *cli, const struct bundle *b, const char *id, struct err *err)
{
    struct err ignored = ERR_INIT;

    if (attachments_send(cli->session, id, b->path, err) == 0)
        return 0;
    (void)err_prefix(err, "could not send the attachments of job %s, which %s", id,
                     job_cancel(cli->session, id, &ignored) == 0 ? "is cancelled"
                                                                 : "could not be cancelled either");
    return -1;
}

static int submit(struct cli *cli, struct json_object *job, char ret_id[static UUID_TEXT_SIZE],
                  struct err *err)
{
    struct bundle bundle = {.fd = -1};
    int rc = 0;

    if (submission_has_attachments(job))
        rc = bundle_pack(&bundle, job, cli->args.positional, err);
    if (rc == 0)
        rc = send_job(cli->session, job, ret_id, err);
    if (rc == 0 && bundle.fd >= 0)
        rc = send_bundle(cli, &bundle, ret_id, err);
    bundle_done(&bundle);
    return rc;
}

int command_submit(struct cli *cli, struct err *err)
{
    struct json_object *job = NULL;
    char id[UUID_TEXT_SIZE];
    int rc;

    if (job_file_read(cli->args.positional, &job, err) < 0)
        return -1;
    rc = submit(cli, job, id, err);
    (void)json_object_put(job);
    if (rc < 0)
        return -1;
    if (argument_given(&cli->args, ARG_QUIET))
        (void)fprintf(cli->out, "%s\n", id);
    else
        (void)fprintf(cli->out, "Job submitted successfully!\njob_id: %s\n", id);
    (void)fflush(cli->out);
    if (argument_given(&cli->args, ARG_POLL))
        return follow_job(cli, id, false, err);
    return EXIT_DONE;
}
