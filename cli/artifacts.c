/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger artifacts JOB [--filename FILE]: streamed to a file of another name in the same
 * directory, which takes the wanted name once it is whole and on disk. */
#include "cli/cli.h"
#include "cli/job.h"
#include "cli/session.h"
#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_NAME "artifacts.tgz"

static int make_part(const char *name, char **ret_path, int *ret_fd, struct err *err)
{
    char *path = NULL;
    int fd;

    if (asprintf(&path, "%s.part-XXXXXX", name) < 0)
        return err_set(err, ERR_INTERNAL, "out of memory");
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        (void)err_set_errno(err, errno, "could not create a file beside \"%s\"", name);
        err->code = ERR_BAD_REQUEST;
        free(path);
        return -1;
    }
    *ret_path = path;
    *ret_fd = fd;
    return 0;
}

/* The mode that a file made without further thought would have: mkostemp() gives 0600. */
static mode_t usual_mode(void)
{
    mode_t mask = umask(0);

    (void)umask(mask);
    return 0666 & ~mask;
}

static int keep_part(const char *part, int fd, const char *name, struct err *err)
{
    if (fchmod(fd, usual_mode()) < 0 || fsync(fd) < 0 || rename(part, name) < 0)
        return err_set_errno(err, errno, "could not write \"%s\"", name);
    return 0;
}

/* Returns 1 if the server has artifacts and they are in the file, 0 if it has none. */
static int download(struct cli *cli, const char *id, int fd, struct err *err)
{
    struct fetch_reply reply;
    char path[JOB_PATH_SIZE];
    int rc;

    fetch_reply_init(&reply, SESSION_REPLY_MAX);
    rc = session_stream(cli->session, job_path(path, "/v1/result/", id, "/artifact"), fetch_sink_fd,
                        &fd, &reply, err);
    if (rc == 0)
        rc = reply.status != 204;
    fetch_reply_done(&reply);
    return rc;
}

int command_artifacts(struct cli *cli, struct err *err)
{
    const char *name = cli->args.values[ARG_FILENAME];
    AUTO_FREE char *part = NULL;
    AUTO_CLOSE int fd = -1;
    char id[UUID_TEXT_SIZE];
    int rc;

    name = name ? name : DEFAULT_NAME;
    if (job_id_parse(cli->args.positional, id, err) < 0 || make_part(name, &part, &fd, err) < 0)
        return -1;
    rc = download(cli, id, fd, err);
    if (rc > 0 && (rc = keep_part(part, fd, name, err)) == 0) {
        (void)fprintf(cli->notes, "artifacts of job %s are in %s\n", id, name);
        return EXIT_DONE;
    }
    (void)unlink(part);
    if (rc < 0)
        return err_prefix(err, "could not download the artifacts of job %s", id);
    (void)fprintf(cli->notes, "testflinger: job %s has no artifacts\n", id);
    return EXIT_NOTHING;
}
