/* SPDX-License-Identifier: GPL-3.0-or-later
 * Taking up a job of an agent that is no more.
 *
 * What is over is delivered.  The rest was lost with the agent: its phases are not gone on with,
 * since nobody knows what state the device is in, and the server may have given the job away.  The
 * phase at which it was cut off counts as killed, its log says why, cleanup is run. */
#include "agent/config.h"
#include "agent/definition.h"
#include "agent/job_steps.h"
#include "agent/spool.h"
#include "agent/strays.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "common/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTACHMENTS_DIR "attachments"
#define STATUS_LOST     (128 + SIGKILL)

/* Without a definition, of an agent that died at the very beginning, there is the id, by which the
 * server knows the job: the directory's name. */
static struct json_object *read_definition(const struct context *context, const char *dir)
{
    AUTO(buf) struct buf text = BUF_INIT(API_BODY_MAX);
    struct json_object *definition = NULL;
    const char *name = strrchr(dir, '/');

    if (spool_read_definition(context->spool, dir, &text, NULL) == 0 &&
        jsn_parse(buf_text(&text), text.len, &definition, NULL) == 0 &&
        jsn_text(definition, "job_id"))
        return definition;
    json_object_put(definition);
    definition = json_object_new_object();
    if (definition)
        (void)json_object_object_add(definition, "job_id",
                                     json_object_new_string(name ? name + 1 : dir));
    return definition;
}

/* Phases that were wanted for the sake of their attachments alone are not once these are there. */
static void restore_attachments(struct job *job)
{
    AUTO_FREE char *path = fs_join(job->dir, ATTACHMENTS_DIR);
    struct stat st;

    if (path && lstat(path, &st) == 0)
        definition_drop_attachments(job->definition);
}

/* Every log that lies in the directory; what was sent of it already is in the record. */
static void restore_logs(struct job *job)
{
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        for (enum log_type type = 0; type < LOG_TYPE_COUNT; type++) {
            struct output *output = calloc(1, sizeof(*output));
            AUTO(buf) struct buf path = BUF_INIT(8192);

            if (!output)
                abort();
            (void)(type == LOG_OUTPUT
                       ? buf_addf(&path, "%s/%s.log", job->dir, phase_name(phase))
                       : buf_addf(&path, "%s/.%s-serial.log", job->dir, phase_name(phase)));
            /* the log of a cleanup that is run again is opened there */
            if ((phase == PHASE_CLEANUP && !job->record.over) ||
                output_resume(output, buf_text(&path), job->context->config->output_bytes, NULL) <
                    0) {
                free(output);
                continue;
            }
            output_set_mark(output, &job->record.marks[type][phase]);
            sender_add(job->sender, type, phase, output);
        }
}

/* Processes that the dead agent could not end. */
static void end_strays(const struct job *job)
{
    AUTO_FREE char *mark = phase_mark(job);
    int found = mark ? strays_signal_marked(mark, SIGKILL) : 0;

    if (found > 0)
        log_warning("strays", "job=%s killed=%d", job->id, found);
}

/* --- what was lost --------------------------------------------------------------------- */

/* The phase that is reported as lost; -1: all of them came to their end. */
static int lost_phase(const struct job *job)
{
    int cut = job_cut_phase(job);
    /* known without the definition, which the job may have spoilt */
    bool was_in_phase = job->record.running && job->record.phase >= 0 &&
                        job->record.phase < PHASE_CLEANUP &&
                        job->record.status[job->record.phase] == RECORD_NO_STATUS;

    /* others were using the device, or were about to: cleanup takes it from them */
    if (job->record.phase == PHASE_ALLOCATE && !job->record.released &&
        job->record.status[PHASE_ALLOCATE] == 0)
        return PHASE_ALLOCATE;
    if (was_in_phase)
        return job->record.phase;
    if (job->record.phase < 0) /* of one of which nothing is known nothing must look done */
        return cut < 0 ? PHASE_SETUP : cut;
    return job->record.phase == PHASE_CLEANUP ? -1 : cut;
}

/* At the end of the phase's log, which is masked and repaired already. */
static void write_note(const struct job *job, enum phase phase, bool had_begun)
{
    AUTO(buf) struct buf text = BUF_INIT(1024);
    AUTO(buf) struct buf name = BUF_INIT(100);
    AUTO_FREE char *path = NULL;
    AUTO_CLOSE int fd = -1;

    (void)buf_addf(&name, "%s.log", phase_name(phase));
    (void)buf_addf(&text,
                   "\nERROR: the agent was lost %s the %s phase (it was killed, or its host went "
                   "down), the job ends here\n",
                   had_begun ? "in" : "before", phase_name(phase));
    path = fs_join(job->dir, buf_text(&name));
    if (path)
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (fd < 0 || write(fd, buf_text(&text), text.len) != (ssize_t)text.len)
        log_warning("log", "job=%s phase=%s error=%s", job->id, phase_name(phase),
                    LOG_VALUE(strerror(errno)));
}

/* Once: from now on the job's own files say that it was lost, also to the next run. */
static void note_loss(struct job *job)
{
    int lost = lost_phase(job);
    const char *name = lost < 0 ? "" : phase_name((enum phase)lost);

    log_warning("lost", "job=%s phase=%s", job->id, name);
    if (lost >= 0) {
        write_note(job, (enum phase)lost, job->record.phase == lost);
        job->record.status[lost] = STATUS_LOST;
    }
    job->reason = JOB_LOST;
    job->record.running = false;
    job->record.losses++;
    (void)job_save(job);
    events_add(job->events, JOB_LOST, name);
}

struct job *job_take_up(struct context *context, const char *dir, const struct record *record,
                        struct err *err)
{
    struct json_object *definition = read_definition(context, dir);
    char *copy = strdup(dir);
    struct job *job;

    if (!definition || !copy) {
        json_object_put(definition);
        free(copy);
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    job = job_make(context, definition, copy, record, err);
    if (!job)
        return NULL;
    job->is_delivery = record->over;
    restore_attachments(job);
    if (!record->over) {
        end_strays(job);
        note_loss(job);
    } else if (*job->record.reason) {
        job->reason = job->record.reason;
    }
    restore_logs(job);
    return job;
}
