/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bringing what a job came to to the server: the rest of its logs, its artifacts, its outcome, in
 * this order, since the outcome tells everybody that nothing more comes.  If the server is away the
 * directory is kept, and all this is done again later, from where it was. */
#include "agent/api.h"
#include "agent/config.h"
#include "agent/job_steps.h"
#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "common/tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARTIFACTS_DIR  "artifacts"
#define ARTIFACTS_FILE ".artifacts.tar.gz"
#define UPLOAD_S       (4 * 3600)
#define STALL_S        120
#define STEPS_AT_ONCE  4
#define TELL_MS        15000 /* a webhook may be slow, but the device is wanted */
#define TELL_LOOK_MS   50

/* Asking again later could help. */
static bool may_work_later(int status)
{
    return status < 400 || status >= 500 || status == 401 || status == 403 || status == 408 ||
           status == 429;
}

/* --- was it delivered already? ----------------------------------------------------------- */

static void on_asked(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)status;
    (void)body;
    if (err)
        job_event(job, JOB_FAILED);
    else
        job_event(job, strcmp(job->scan.state, "complete") == 0 ? JOB_NONE : JOB_OK);
}

/* Only when an agent died between the post of the outcome and its reply.  Else the state proves
 * nothing: the server may have given the job up, and this outcome corrects that. */
void deliver_ask(struct job *job)
{
    job_ask_state(job, job->id, on_asked);
}

/* --- logs ------------------------------------------------------------------------------ */

static void on_flushed(void *arg, bool all_sent)
{
    job_event(arg, all_sent ? JOB_OK : JOB_FAILED);
}

void deliver_logs(struct job *job)
{
    job->record.over = true;
    job->record.running = false;
    if (job->reason != job->record.reason)
        (void)snprintf(job->record.reason, sizeof(job->record.reason), "%s", job->reason);
    (void)job_save(job);
    if (job->out_of_time)
        job_event(job, JOB_FAILED);
    else
        sender_flush(job->sender, on_flushed, job);
}

/* --- artifacts ------------------------------------------------------------------------- */

static bool has_artifacts(const struct job *job)
{
    AUTO_FREE char *path = fs_join(job->dir, ARTIFACTS_DIR);
    struct stat st;
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    if (!path || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return false;
    dir = opendir(path);
    while (dir && !found && (entry = readdir(dir)))
        found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (dir)
        (void)closedir(dir);
    return found;
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

static void packing_failed(struct job *job, const struct err *err)
{
    log_error("artifacts", "job=%s error=%s", job->id, LOG_VALUE(err->text));
    end_packing(job);
    /* a disk may have room again later; for the rest the outcome must not wait for ever */
    job_event(job, err->code == ERR_FULL ? JOB_FAILED : JOB_NONE);
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
        end_packing(job);
        job_event(job, JOB_OK);
    }
}

void deliver_pack(struct job *job)
{
    struct err err = ERR_INIT;

    if (job->record.uploaded || !has_artifacts(job))
        job_event(job, JOB_NONE);
    else if (begin_packing(job, &err) < 0)
        packing_failed(job, &err);
    else
        pack_step(job);
}

static void on_uploaded(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)body;
    if (err)
        log_error("artifacts", "job=%s error=%s", job->id, LOG_VALUE(err->text));
    if (err && may_work_later(status)) {
        job_event(job, JOB_FAILED);
        return;
    }
    job->record.uploaded = true;
    (void)job_save(job);
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

/* --- the outcome ----------------------------------------------------------------------- */

static void on_outcome(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)body;
    if (err)
        log_error("outcome", "job=%s error=%s", job->id, LOG_VALUE(err->text));
    job->refused = err && !may_work_later(status);
    if (err)
        job->record.posting = false; /* saved when the job is kept */
    job_event(job, err && !job->refused ? JOB_FAILED : JOB_OK);
}

void job_add_status(const struct job *job, struct buf *b)
{
    const char *separator = "";

    (void)buf_adds(b, "{\"status\":{");
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        if (job->record.status[phase] == RECORD_NO_STATUS)
            continue;
        (void)buf_addf(b, "%s\"%s\":%d", separator, phase_name(phase), job->record.status[phase]);
        separator = ",";
    }
    (void)buf_addc(b, '}');
}

void job_add_result(const struct job *job, struct buf *b)
{
    job_add_status(job, b);
    if (job->timed_out && job_is_lent(job))
        (void)buf_addf(b, ",\"stopped\":\"%s\"", job->timed_out);
}

void deliver_outcome(struct job *job)
{
    struct api_call *call = api_call_new("POST", on_outcome, job);

    call->lease = job->lease.api;
    if (job->is_delivery) /* what was posted while the job ran may have been lost */
        (void)job_post_device_info(job, NULL);
    job->record.posting = true;
    (void)record_sync(&job->record, job->record_path, NULL);
    api_path(call, "/v1/result/", job->id, NULL);
    job_add_result(job, &call->body);
    (void)buf_adds(&call->body, ",\"job_state\":\"complete\"}");
    api_send(job->context->api, job->lanes->main, call);
}

void deliver_remove(struct job *job)
{
    struct err err = ERR_INIT;

    job->end = JOB_DELIVERED;
    job_lease_end(job);
    if (job->lost)
        log_info("discard", "job=%s", job->id);
    if (job->refused && !job->lost) {
        /* it must not be delivered a second time */
        log_error("remove", "job=%s error=%s", job->id,
                  LOG_VALUE("the server refused the outcome"));
        (void)spool_put_aside(job->context->spool, job->dir, NULL);
    } else if (spool_discard(job->context->spool, job->dir, &err) < 0) {
        log_error("remove", "job=%s error=%s", job->id, LOG_VALUE(err.text));
    }
    job_event(job, JOB_OK);
}

static void on_keep_pause_over(void *arg)
{
    job_event(arg, JOB_FAILED);
}

void deliver_keep(struct job *job)
{
    struct err err = ERR_INIT;
    int rc = job_save(job);

    job->end = JOB_KEPT;
    job_lease_end(job);
    if (rc == 0)
        rc = spool_keep(job->context->spool, job->dir, &err);
    if (rc == 0 || job->out_of_time || job->is_delivery) { /* that one lies there already */
        log_warning("keep", "job=%s the outcome is sent later", job->id);
        job_event(job, JOB_OK);
        return;
    }
    /* neither the server nor the disk takes it: hold on to it until one of them does */
    log_error("keep", "job=%s error=%s", job->id, LOG_VALUE(err.text));
    job->pause.fire = on_keep_pause_over;
    reactor_after(job->context->reactor, &job->pause,
                  job->context->config->server_pause_min * 1000);
}

/* --- the last events ------------------------------------------------------------------- */

static void look_if_told(void *arg)
{
    struct job *job = arg;

    if (events_are_told(job->events) || job->out_of_time ||
        clock_ms(job->context->reactor->clock) >= job->told_until_ms) {
        job_event(job, JOB_OK);
        return;
    }
    job->pause.fire = look_if_told;
    reactor_after(job->context->reactor, &job->pause, TELL_LOOK_MS);
}

void deliver_tell(struct job *job)
{
    if (job->end == JOB_DELIVERED) /* else it is told when it is */
        events_add(job->events, "job_end", job->reason);
    job->told_until_ms = clock_ms(job->context->reactor->clock) + TELL_MS;
    look_if_told(job);
}
