/* SPDX-License-Identifier: GPL-3.0-or-later
 * The life of a job as a table, and what makes and frees a job. */
#include "agent/job.h"

#include "agent/api.h"
#include "agent/config.h"
#include "agent/definition.h"
#include "agent/job_steps.h"
#include "agent/job_stop.h"
#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "common/tar.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERROR_FILE  "device-connector-error.json"
#define OUTCOME_MAX 4096

/* --- the table ------------------------------------------------------------------------- */

static const struct {
    const char *name; /* for the log */
    job_action_fn *action;
} stages[JOB_STAGE_COUNT] = {
    [JOB_CONFIRM] = {"confirm", job_confirm},
    [JOB_START] = {"start", job_begin},
    [JOB_ATTACHMENTS] = {"attachments", job_fetch_attachments},
    [JOB_UNPACK] = {"unpack", job_unpack},
    [JOB_SELECT] = {"select", job_select},
    [JOB_CHECK] = {"check", job_check},
    [JOB_RUN] = {"run", job_run},
    [JOB_ALLOCATE] = {"allocate", job_allocate},
    [JOB_WAIT] = {"wait", job_wait},
    [JOB_NOTE] = {"note", job_note_wishes},
    [JOB_CLEANUP] = {"cleanup", job_clean_up},
    [JOB_SWEEP] = {"sweep", job_sweep},
    [JOB_ASK] = {"ask", deliver_ask},
    [JOB_FLUSH] = {"flush", deliver_logs},
    [JOB_PACK] = {"pack", deliver_pack},
    [JOB_UPLOAD] = {"upload", deliver_upload},
    [JOB_REST] = {"rest", deliver_rest},
    [JOB_OUTCOME] = {"outcome", deliver_outcome},
    [JOB_REMOVE] = {"remove", deliver_remove},
    [JOB_KEEP] = {"keep", deliver_keep},
    [JOB_TELL] = {"tell", deliver_tell},
    [JOB_END] = {"end", NULL},
};

/* clang-format off */
static const struct {
    enum job_stage from;
    enum job_event event;
    enum job_stage to;
} transitions[] = {
    {JOB_CONFIRM,     JOB_OK,        JOB_START},
    {JOB_CONFIRM,     JOB_CANCELLED, JOB_NOTE},
    {JOB_START,       JOB_OK,        JOB_ATTACHMENTS},
    {JOB_ATTACHMENTS, JOB_OK,        JOB_UNPACK},
    {JOB_ATTACHMENTS, JOB_NONE,      JOB_SELECT},
    {JOB_ATTACHMENTS, JOB_FAILED,    JOB_NOTE},
    {JOB_UNPACK,      JOB_OK,        JOB_SELECT},
    {JOB_UNPACK,      JOB_FAILED,    JOB_NOTE},
    {JOB_SELECT,      JOB_OK,        JOB_CHECK},
    {JOB_SELECT,      JOB_NONE,      JOB_NOTE},    /* no phase is left */
    {JOB_CHECK,       JOB_OK,        JOB_RUN},
    {JOB_CHECK,       JOB_CANCELLED, JOB_NOTE},
    {JOB_RUN,         JOB_OK,        JOB_SELECT},
    {JOB_RUN,         JOB_ALLOCATED, JOB_ALLOCATE},
    {JOB_RUN,         JOB_FAILED,    JOB_NOTE},
    {JOB_ALLOCATE,    JOB_OK,        JOB_WAIT},
    {JOB_ALLOCATE,    JOB_CANCELLED, JOB_NOTE},
    {JOB_WAIT,        JOB_OK,        JOB_SELECT},
    {JOB_WAIT,        JOB_CANCELLED, JOB_NOTE},
    {JOB_NOTE,        JOB_OK,        JOB_CLEANUP},
    {JOB_CLEANUP,     JOB_OK,        JOB_SWEEP},   /* however it ended */
    {JOB_SWEEP,       JOB_OK,        JOB_FLUSH},
    {JOB_ASK,         JOB_OK,        JOB_FLUSH},
    {JOB_ASK,         JOB_NONE,      JOB_REMOVE},  /* the server has the outcome */
    {JOB_ASK,         JOB_FAILED,    JOB_KEEP},
    {JOB_FLUSH,       JOB_OK,        JOB_PACK},
    {JOB_FLUSH,       JOB_FAILED,    JOB_KEEP},
    {JOB_PACK,        JOB_OK,        JOB_UPLOAD},
    {JOB_PACK,        JOB_NONE,      JOB_REST},    /* no artifacts, or they are there already */
    {JOB_PACK,        JOB_FAILED,    JOB_KEEP},
    {JOB_UPLOAD,      JOB_OK,        JOB_REST},
    {JOB_UPLOAD,      JOB_FAILED,    JOB_KEEP},
    {JOB_REST,        JOB_OK,        JOB_OUTCOME},
    {JOB_REST,        JOB_FAILED,    JOB_KEEP},
    {JOB_OUTCOME,     JOB_OK,        JOB_REMOVE},
    {JOB_OUTCOME,     JOB_FAILED,    JOB_KEEP},
    {JOB_REMOVE,      JOB_OK,        JOB_TELL},
    {JOB_KEEP,        JOB_OK,        JOB_TELL},
    {JOB_KEEP,        JOB_FAILED,    JOB_FLUSH},   /* nowhere to keep it: try the server again */
    {JOB_TELL,        JOB_OK,        JOB_END},
};
/* clang-format on */

static enum job_stage stage_after(enum job_stage from, enum job_event event)
{
    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
        if (transitions[i].from == from && transitions[i].event == event)
            return transitions[i].to;
    assert(!"a stage came to what the table does not know");
    return JOB_END;
}

static void enter(struct job *job, enum job_stage stage)
{
    log_debug("stage", "job=%s stage=%s", job->id, stages[stage].name);
    job->stage = stage;
    if (stage == JOB_END)
        job->ended(job->arg, job->end);
    else
        stages[stage].action(job);
}

static void on_step(void *arg)
{
    struct job *job = arg;
    enum job_stage next = stage_after(job->stage, job->event);

    /* the wish may have come while a phase that does not end for it was running, or this step was
     * on its way */
    if (next > JOB_START && next < JOB_NOTE && (job->shutting_down || job->cancel_wished))
        next = JOB_NOTE;
    if (next == JOB_CLEANUP && job->cancel_wished)
        job_note_cancel(job);
    if (job->lost && next > JOB_SWEEP && next <= JOB_KEEP) /* nothing of it is told or kept */
        next = JOB_REMOVE;
    enter(job, next);
}

void job_event(struct job *job, enum job_event event)
{
    assert(!job->step.armed); /* a stage comes to one thing */
    job->event = event;
    reactor_after(job->context->reactor, &job->step, 0);
}

static const struct job_lanes running_lanes = {API_MAIN, API_ASK, API_LOG, API_EVENTS};
static const struct job_lanes delivery_lanes = {API_SPOOL, API_SPOOL, API_SPOOL, API_SPOOL};

/* --- making and freeing ---------------------------------------------------------------- */

/* One that holds U+0000 is a shorter one in the environment. */
static int mask_secret(struct mask *mask, struct json_object *value, struct err *err)
{
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    size_t seen = strlen(text);

    if (seen < len && mask_add(mask, text, seen, err) < 0)
        return -1;
    return mask_add(mask, text, len, err);
}

static int collect_secrets(struct job *job, struct err *err)
{
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        struct json_object *secrets = definition_secrets(job->definition, phase);

        if (!secrets)
            continue;
        json_object_object_foreach(secrets, name, value)
        {
            (void)name;
            if (json_object_is_type(value, json_type_string) &&
                mask_secret(job->mask, value, err) < 0)
                return -1;
        }
    }
    return 0;
}

struct job *job_make(struct context *context, struct json_object *definition, char *dir,
                     const struct record *record, struct err *err)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job)
        abort();
    job->context = context;
    job->lanes = record->over ? &delivery_lanes : &running_lanes;
    job->definition = definition;
    job->id = jsn_text(definition, "job_id");
    job->dir = dir;
    job->record = *record;
    job->record_path = spool_record_path(context->spool, dir);
    job->archive_fd = -1;
    job->run.serial_fd = -1;
    job->reason = "normal_exit";
    job->step = (struct timer){.fire = on_step, .arg = job};
    job->pause = (struct timer){.arg = job}; /* the stage that uses it says what is to be done */
    job->mask = mask_new(err);
    job_lease_init(job);
    job->events = events_new(context, definition, &job->lease.api, job->lanes->events);
    const struct sender_job sent = {job->id, job->record_path, &job->record, job->lanes->log,
                                    &job->lease.api};
    job->sender = sender_new(context, &sent, err);
    if (!job->record_path || !job->mask || !job->sender || collect_secrets(job, err) < 0) {
        job_free(job);
        return NULL;
    }
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    phase_done(job);
    job_lease_end(job);
    reactor_disarm(job->context->reactor, &job->step);
    reactor_disarm(job->context->reactor, &job->pause);
    api_drop(job->context->api, job->lanes->main);
    api_drop(job->context->api, job->lanes->ask);
    sender_free(job->sender);
    events_free(job->events);
    tar_packer_free(job->packer);
    tar_unpacker_free(job->unpacker);
    if (job->archive_fd >= 0)
        (void)close(job->archive_fd);
    mask_free(job->mask);
    free(job->saved_outcome);
    json_object_put(job->definition);
    free(job->dir);
    free(job->record_path);
    free(job);
}

static int write_files(struct job *job, struct err *err)
{
    struct spool *spool = job->context->spool;
    struct buf text = BUF_INIT(API_BODY_MAX);
    int rc = jsn_add_tree(&text, job->definition);

    if (rc == 0)
        rc = spool_write_definition(spool, job->dir, buf_text(&text), err);
    else
        (void)err_set(err, ERR_TOO_LARGE, "the definition is too large");
    if (rc == 0)
        rc = spool_write(spool, job->dir, JOB_DEFINITION_FILE, buf_text(&text), err);
    buf_done(&text);
    if (rc < 0 || spool_write(spool, job->dir, JOB_OUTCOME_FILE, "{}", err) < 0 ||
        spool_write(spool, job->dir, ERROR_FILE, "", err) < 0)
        return -1;
    return 0;
}

/* As far as the disk allows: a job that was taken and is over, for the courier to report. */
static bool leave_refused(struct context *context, const char *dir, struct record *record,
                          const struct err *why)
{
    AUTO(buf) struct buf note = BUF_INIT(2048);
    AUTO_FREE char *path = spool_record_path(context->spool, dir);

    (void)buf_addf(&note, "ERROR: the job cannot be begun: %s\n", why->text);
    record->phase = PHASE_SETUP;
    record->status[PHASE_SETUP] = 1;
    record->over = true;
    (void)snprintf(record->reason, sizeof(record->reason), "setup_fail");
    if (path && spool_write(context->spool, dir, "setup.log", buf_text(&note), NULL) == 0 &&
        record_sync(record, path, NULL) == 0)
        return true;
    (void)spool_discard(context->spool, dir, NULL);
    return false;
}

struct job *job_new(struct context *context, struct json_object *definition,
                    const struct record_lease *lease, bool *ret_left, struct err *err)
{
    const char *written = jsn_text(definition, "job_id");
    char id[UUID_TEXT_SIZE];
    AUTO_FREE char *dir = NULL;
    struct record record;
    struct job *job;
    char *copy;

    *ret_left = false;
    record_init(&record);
    record.lease = *lease;
    if (parse_uuid(written, strlen(written), id, err) < 0 ||
        spool_make(context->spool, id, &record, &dir, err) < 0) {
        json_object_put(definition);
        return NULL;
    }
    copy = strdup(dir);
    if (!copy)
        abort();
    job = job_make(context, definition, copy, &record, err);
    if (job && write_files(job, err) == 0)
        return job;
    job_free(job);
    *ret_left = leave_refused(context, dir, &record, err);
    return NULL;
}

/* --- running --------------------------------------------------------------------------- */

void job_start(struct job *job, void (*ended)(void *arg, enum job_end end), void *arg)
{
    job->ended = ended;
    job->arg = arg;
    job->confirmed = true; /* what was taken up was confirmed or is not run any more */
    job_lease_begin(job);
    if (job->record.posting)
        enter(job, JOB_ASK);
    else if (job->is_delivery)
        enter(job, JOB_FLUSH);
    else
        enter(job, job->record.losses > 0 ? JOB_CLEANUP : JOB_CONFIRM);
}

/* The statuses so far, for the job's own commands: the record is what counts. */
static void write_outcome(struct job *job)
{
    AUTO(buf) struct buf text = BUF_INIT(OUTCOME_MAX);
    struct err err = ERR_INIT;

    job_add_status(job, &text);
    (void)buf_addc(&text, '}');
    /* a phase that begins changes the record alone, and each file means waiting for the disk */
    if (job->saved_outcome && strcmp(job->saved_outcome, buf_text(&text)) == 0)
        return;
    free(job->saved_outcome);
    job->saved_outcome = NULL;
    if (spool_write(job->context->spool, job->dir, JOB_OUTCOME_FILE, buf_text(&text), &err) == 0)
        job->saved_outcome = buf_take(&text);
    else
        log_warning("save", "job=%s error=%s", job->id, LOG_VALUE(err.text));
}

int job_save(struct job *job)
{
    struct err err = ERR_INIT;
    int rc = record_sync(&job->record, job->record_path, &err);

    if (rc < 0)
        log_error("save", "job=%s error=%s", job->id, LOG_VALUE(err.text));
    write_outcome(job);
    return rc;
}
