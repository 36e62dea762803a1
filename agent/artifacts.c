/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a job has put into artifacts/: packed in steps, uploaded.  Artifacts that cannot be had do
 * not hold up the outcome, but the job's log says why there are none. */
#include "agent/api.h"
#include "agent/job_steps.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARTIFACTS_DIR  "artifacts"
#define ARTIFACTS_FILE ".artifacts.tar.gz"
#define UPLOAD_S       (4 * 3600)
#define STALL_S        120
#define STEPS_AT_ONCE  4

/* *ret_found: there is something in the directory. */
static int look(const char *path, bool *ret_found, struct err *err)
{
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    *ret_found = false;
    if (lstat(path, &st) < 0 && errno == ENOENT)
        return 0;
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_INVALID, "\"" ARTIFACTS_DIR "\" is not a directory");
    dir = opendir(path);
    if (!dir)
        return err_set_errno(err, errno, "could not read \"" ARTIFACTS_DIR "\"");
    while (!*ret_found && (entry = readdir(dir)))
        *ret_found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(dir);
    return 0;
}

static int has_artifacts(const struct job *job, bool *ret_found, struct err *err)
{
    AUTO_FREE char *path = fs_join(job->dir, ARTIFACTS_DIR);

    return path ? look(path, ret_found, err) : err_set(err, ERR_INTERNAL, "out of memory");
}

static void end_packing(struct job *job)
{
    tar_packer_free(job->packer);
    job->packer = NULL;
    if (job->archive_fd >= 0)
        (void)close(job->archive_fd);
    job->archive_fd = -1;
}

static int begin_packing(struct job *job, struct err *err)
{
    AUTO_FREE char *path = fs_join(job->dir, ARTIFACTS_FILE);

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    end_packing(job);   /* attachments whose fetching was ended */
    (void)unlink(path); /* an older try, or something that a job put there */
    job->archive_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (job->archive_fd < 0)
        return err_set_errno(err, errno, "could not create \"%s\"", path);
    job->packer = tar_packer_new(job->dir, ARTIFACTS_DIR, job->archive_fd, err);
    return job->packer ? 0 : -1;
}

/* They are not tried again. */
static void give_up(struct job *job, const char *what, const char *why)
{
    AUTO(buf) struct buf text = BUF_INIT(4096);

    (void)buf_addf(&text, "\nERROR: %s: %s\n", what, why);
    job_say(job, buf_text(&text));
    job->record.uploaded = true;
    (void)job_save(job);
}

static void packing_failed(struct job *job, const struct err *err)
{
    log_error("artifacts", "job=%s error=%s", job->id, LOG_VALUE(err->text));
    end_packing(job);
    if (err->code == ERR_FULL) { /* a disk may have room again later */
        job_event(job, JOB_FAILED);
        return;
    }
    give_up(job, "The artifacts cannot be packed", err->text);
    job_event(job, JOB_NONE);
}

static void pack_step(void *arg)
{
    struct job *job = arg;
    struct err err = ERR_INIT;
    int rc = 1;

    for (int i = 0; i < STEPS_AT_ONCE && rc > 0; i++)
        rc = tar_packer_step(job->packer, &err);
    if (rc > 0) {
        job->pause.fire = pack_step;
        reactor_after(job->context->reactor, &job->pause, 0);
    } else if (rc < 0) {
        packing_failed(job, &err);
    } else {
        job->left_out = tar_packer_left_out(job->packer);
        end_packing(job);
        job_event(job, JOB_OK);
    }
}

void deliver_pack(struct job *job)
{
    struct err err = ERR_INIT;
    bool found = false;

    if (!job->record.uploaded && has_artifacts(job, &found, &err) < 0)
        packing_failed(job, &err);
    else if (!found)
        job_event(job, JOB_NONE);
    else if (begin_packing(job, &err) < 0)
        packing_failed(job, &err);
    else
        pack_step(job);
}

static void uploaded(struct job *job)
{
    char text[100];

    if (job->left_out > 0) {
        (void)snprintf(text, sizeof(text),
                       "\nERROR: %" PRIu64 " of the artifacts could not be read\n", job->left_out);
        job_say(job, text);
    }
    job->record.uploaded = true;
    (void)job_save(job);
}

static void on_uploaded(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)body;
    if (err)
        log_error("artifacts", "job=%s error=%s", job->id, LOG_VALUE(err->text));
    if (err && deliver_may_work_later(status)) {
        job_event(job, JOB_FAILED);
        return;
    }
    if (err)
        give_up(job, "The server did not take the artifacts", err->text);
    else
        uploaded(job);
    job_event(job, JOB_OK);
}

void deliver_upload(struct job *job)
{
    struct api_call *call = api_call_new("POST", on_uploaded, job);

    call->lease = job->lease.api;
    api_path(call, "/v1/result/", job->id, "/artifact", NULL);
    call->upload_path = fs_join(job->dir, ARTIFACTS_FILE);
    call->timeout_s = UPLOAD_S;
    call->stall_s = STALL_S;
    api_send(job->context->api, job->lanes->main, call);
}
