/* SPDX-License-Identifier: GPL-3.0-or-later
 * The bundle that came with a job: fetched into a file, unpacked in steps, refused as a whole if
 * any of its members is suspicious. */
#include "agent/api.h"
#include "agent/definition.h"
#include "agent/job_steps.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_FILE   ".attachments.tar.gz"
#define BUNDLE_DIR    "attachments"
#define FETCH_S       (4 * 3600)
#define STALL_S       60
#define STEPS_AT_ONCE 4
#define UNPACKED_MAX  (UINT64_C(64) << 30)
#define MEMBERS_MAX   1000000

static const char *const tops[] = {"provision", "firmware_update", "test", NULL};
static const struct tar_limits limits = {tops, UNPACKED_MAX, MEMBERS_MAX};

/* Nothing can be run without the bundle; the log of the first phase says why. */
static void give_up(struct job *job, const struct err *err)
{
    struct buf text = BUF_INIT(4096);

    log_error("attachments", "job=%s error=%s", job->id, LOG_VALUE(err->text));
    (void)buf_addf(&text, "ERROR: the job's attachments cannot be used: %s", err->text);
    phase_note(job, PHASE_SETUP, buf_text(&text));
    buf_done(&text);
    job->record.status[PHASE_SETUP] = 1;
    job->record.phase = PHASE_SETUP;
    (void)job_save(job);
    job->reason = "setup_fail";
    events_add(job->events, "setup_fail", err->text);
    job_event(job, JOB_FAILED);
}

static void fetch(void *arg);

static void on_fetched(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)body;
    if (!err) {
        job_event(job, status == 200 ? JOB_OK : JOB_NONE); /* 204: there is none after all */
    } else if ((status == 0 || status >= 500) && job->tries++ < API_RETRIES) {
        job->pause.fire = fetch;
        reactor_after(job->context->reactor, &job->pause, INT64_C(300) << job->tries);
    } else {
        give_up(job, err);
    }
}

static void fetch(void *arg)
{
    struct job *job = arg;
    struct api_call *call = api_call_new("GET", on_fetched, job);

    /* a try before may have left its beginning there */
    if (ftruncate(job->archive_fd, 0) == 0)
        (void)lseek(job->archive_fd, 0, SEEK_SET);
    api_path(call, "/v1/job/", job->id, "/attachments", NULL);
    call->retries = 0;
    call->timeout_s = FETCH_S;
    call->stall_s = STALL_S;
    call->lease = job->lease.api;
    call->sink = fetch_sink_fd;
    call->sink_arg = &job->archive_fd;
    api_send(job->context->api, API_MAIN, call);
}

void job_fetch_attachments(struct job *job)
{
    struct err err = ERR_INIT;
    char *path;

    if (!definition_has_attachments(job->definition)) {
        job_event(job, JOB_NONE);
        return;
    }
    path = fs_join(job->dir, BUNDLE_FILE);
    job->archive_fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (job->archive_fd < 0) {
        (void)err_set_errno(&err, errno, "could not create \"%s/%s\"", job->dir, BUNDLE_FILE);
        give_up(job, &err);
    } else {
        (void)unlink(path); /* only the descriptor is needed: nothing to clean up */
        job->tries = 0;
        fetch(job);
    }
    free(path);
}

static void end_unpacking(struct job *job)
{
    tar_unpacker_free(job->unpacker);
    job->unpacker = NULL;
    (void)close(job->archive_fd);
    job->archive_fd = -1;
}

static void refuse(struct job *job, const struct err *err)
{
    char *dir = fs_join(job->dir, BUNDLE_DIR);

    end_unpacking(job);
    if (dir)
        (void)fs_remove_tree(dir, NULL);
    free(dir);
    give_up(job, err);
}

static void unpack_step(void *arg)
{
    struct job *job = arg;
    struct err err = ERR_INIT;
    int rc = 1;

    for (int i = 0; i < STEPS_AT_ONCE && rc > 0; i++)
        rc = tar_unpacker_step(job->unpacker, &err);
    if (rc > 0) {
        job->pause.fire = unpack_step;
        reactor_after(job->context->reactor, &job->pause, 0);
    } else if (rc < 0) {
        refuse(job, &err);
    } else {
        end_unpacking(job);
        definition_drop_attachments(job->definition);
        job_event(job, JOB_OK);
    }
}

void job_unpack(struct job *job)
{
    struct err err = ERR_INIT;
    char *dir = fs_join(job->dir, BUNDLE_DIR);

    if (!dir || fs_remove_tree(dir, &err) < 0 || mkdir(dir, 0755) < 0 ||
        lseek(job->archive_fd, 0, SEEK_SET) < 0)
        (void)err_set_errno(&err, errno, "could not create \"%s/%s\"", job->dir, BUNDLE_DIR);
    else
        job->unpacker = tar_unpacker_new(job->archive_fd, dir, &limits, &err);
    free(dir);
    if (job->unpacker)
        unpack_step(job);
    else
        refuse(job, &err);
}
