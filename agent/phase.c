/* SPDX-License-Identifier: GPL-3.0-or-later
 * A phase: open the log, post the device info, run the command with its limits; when it has ended
 * take in the serial log, send the rest of both logs, report. */
#include "agent/phase.h"

#include "agent/api.h"
#include "agent/config.h"
#include "agent/job_steps.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERIAL_PIECES 4  /* read in one go */
#define SERIAL_FACTOR 16 /* times output_bytes is read */

static void on_flushed(void *arg, bool all_sent);

/* --- the log --------------------------------------------------------------------------- */

static struct output *open_log(struct job *job, enum log_type type, const char *name)
{
    struct output_mark *mark = &job->record.marks[type][job->phase];
    int64_t limit = job->context->config->output_bytes;
    /* cleanup again, after an agent that died in it: its log goes on */
    bool is_repeat = job->record.losses > 0 && type == LOG_OUTPUT;
    struct output *output = calloc(1, sizeof(*output));
    char *path = fs_join(job->dir, name);
    struct err err = ERR_INIT;

    if (!output || !path ||
        (is_repeat ? output_append : output_open)(output, path, limit, job->mask, &err) < 0) {
        log_error("log", "job=%s error=%s", job->id, LOG_VALUE(err.text));
        free(output);
        output = NULL;
    } else {
        if (is_repeat)
            output_set_mark(output, mark);
        else
            *mark = (struct output_mark){0, 0};
        sender_add(job->sender, type, job->phase, output);
    }
    free(path);
    return output;
}

static void say_banner(struct job *job)
{
    struct buf text = BUF_INIT(4096);
    struct buf line = BUF_INIT(2048);

    (void)buf_addf(&line, "* Starting testflinger %s phase on %.1000s *", phase_name(job->phase),
                   job->context->config->agent_id);
    for (int row = 0; row < 3; row++) {
        if (row == 1)
            (void)buf_adds(&text, buf_text(&line));
        for (size_t i = 0; row != 1 && i < line.len; i++)
            (void)buf_addc(&text, '*');
        (void)buf_addc(&text, '\n');
    }
    output_say(job->run.output, buf_text(&text));
    buf_done(&text);
    buf_done(&line);
}

static void on_output(void *arg, const char *data, size_t len)
{
    struct job *job = arg;

    stop_touch(&job->run.stop);
    output_add(job->run.output, data, len);
    sender_kick(job->sender);
}

/* --- stopping -------------------------------------------------------------------------- */

static void on_stop(void *arg, enum stop_reason reason)
{
    struct job *job = arg;
    char text[200];

    log_info("stop", "job=%s phase=%s reason=%s", job->id, phase_name(job->phase),
             stop_event(reason));
    (void)snprintf(text, sizeof(text), "\nERROR: %s, the %s phase is stopped\n", stop_text(reason),
                   phase_name(job->phase));
    output_say(job->run.output, text);
    sender_kick(job->sender);
    events_add(job->events, stop_event(reason), NULL);
    runner_stop(job->context->runner);
}

static int feed_scan(void *arg, const char *data, size_t len)
{
    job_state_feed(arg, data, len);
    return 0;
}

static void on_looked(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)body;
    (void)status;
    if (!err && job_state_is_cancelled(job->run.scan.state) &&
        stop_ask(&job->run.stop, STOP_CANCELLED))
        job->cancelled = true;
    /* asked on, whatever it was: it also tells the server that the agent is alive */
    reactor_after(job->context->reactor, &job->run.look,
                  job->context->config->cancel_interval * 1000);
}

static void on_look(void *arg)
{
    struct job *job = arg;
    struct api_call *call = api_call_new("GET", on_looked, job);

    memset(&job->run.scan, 0, sizeof(job->run.scan));
    api_path(call, "/v1/result/", job->id, NULL);
    call->retries = 0; /* it is asked again soon anyway */
    call->sink = feed_scan;
    call->sink_arg = &job->run.scan;
    api_send(job->context->api, API_WATCH, call);
}

static void stop_looking(struct job *job)
{
    stop_disarm(&job->run.stop);
    reactor_disarm(job->context->reactor, &job->run.look);
    if (!job_is_lent(job))
        api_drop(job->context->api, API_WATCH);
}

/* --- after the command ----------------------------------------------------------------- */

static void on_serial_step(void *arg)
{
    struct job *job = arg;
    struct phase_run *run = &job->run;
    char piece[OUTPUT_PIECE_MAX];
    ssize_t n = 0;

    for (int i = 0; i < SERIAL_PIECES; i++) {
        n = read(run->serial_fd, piece,
                 run->serial_left < (int64_t)sizeof(piece) ? (size_t)run->serial_left
                                                           : sizeof(piece));
        if (n <= 0)
            break;
        run->serial_left -= n;
        output_add(run->serial, piece, (size_t)n);
    }
    if (n > 0) {
        reactor_after(job->context->reactor, &run->serial_step, 0);
        return;
    }
    if (run->serial_left == 0 && read(run->serial_fd, piece, 1) > 0)
        output_say(run->serial, "\n*** the rest of this serial log is left out, it was too long or "
                                "still being written ***\n");
    (void)close(run->serial_fd);
    run->serial_fd = -1;
    output_end(run->serial);
    sender_flush(job->sender, on_flushed, job);
}

/* How much of the serial log is read: what is there now, since what the command left running may
 * write to it for ever, and no more than can be read in a while. */
static int64_t serial_size(const struct job *job)
{
    int64_t most = job->context->config->output_bytes;
    struct stat st;

    if (fstat(job->run.serial_fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    most = most < INT64_MAX / SERIAL_FACTOR ? most * SERIAL_FACTOR : INT64_MAX;
    return st.st_size < most ? st.st_size : most;
}

/* The serial log is copied through the mask before any of it leaves the agent. */
static bool begin_serial(struct job *job)
{
    struct phase_run *run = &job->run;
    char name[64];
    char *path;

    (void)snprintf(name, sizeof(name), "%s-serial.log", phase_name(job->phase));
    path = fs_join(job->dir, name);
    run->serial_fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW) : -1;
    free(path);
    if (run->serial_fd < 0)
        return false;
    (void)snprintf(name, sizeof(name), ".%s-serial.log", phase_name(job->phase));
    run->serial = open_log(job, LOG_SERIAL, name);
    run->serial_left = serial_size(job);
    if (run->serial)
        return true;
    (void)close(run->serial_fd);
    run->serial_fd = -1;
    return false;
}

static void on_flushed(void *arg, bool all_sent)
{
    struct job *job = arg;
    struct phase_run *run = &job->run;

    if (!all_sent)
        log_warning("log", "job=%s phase=%s the rest of the log is sent later", job->id,
                    phase_name(job->phase));
    phase_free_environment(run->environment);
    run->environment = NULL;
    run->done(job, run->status, run->stop.reason);
}

static void on_ended(void *arg, int status)
{
    struct job *job = arg;
    struct phase_run *run = &job->run;

    stop_looking(job);
    run->took_ms = clock_ms(job->context->reactor->clock) - run->began_ms;
    if (runner_oom_kills(job->context->runner) > run->oom_kills)
        output_say(run->output,
                   "\nERROR: memory_max of the agent was reached, a process was killed\n");
    if (runner_left_alive(job->context->runner) > 0)
        job_say_left_alive(job);
    run->status = status == 0 && run->stop.reason != STOP_NONE ? PHASE_STOPPED : status;
    output_end(run->output);
    if (begin_serial(job))
        reactor_after(job->context->reactor, &run->serial_step, 0);
    else
        sender_flush(job->sender, on_flushed, job);
}

/* --- beginning ------------------------------------------------------------------------- */

static void arm(struct job *job)
{
    const struct config *config = job->context->config;
    struct phase_run *run = &job->run;
    int64_t global_s = stop_limit_s(jsn_int(job->definition, "global_timeout", 0),
                                    config->global_timeout, CONFIG_GLOBAL_TIMEOUT_S);
    int64_t output_s = stop_limit_s(jsn_int(job->definition, "output_timeout", 0),
                                    config->output_timeout, CONFIG_OUTPUT_TIMEOUT_S);

    run->began_ms = clock_ms(job->context->reactor->clock);
    run->stop.reactor = job->context->reactor;
    run->stop.stop = on_stop;
    run->stop.arg = job;
    stop_arm(&run->stop, job->phase, global_s, output_s);
    run->look = (struct timer){.fire = on_look, .arg = job};
    if (!job_is_lent(job))
        reactor_after(job->context->reactor, &run->look, config->cancel_interval * 1000);
    run->serial_step = (struct timer){.fire = on_serial_step, .arg = job};
}

static int run_command(struct job *job, struct err *err)
{
    const struct config *config = job->context->config;
    struct phase_run *run = &job->run;

    run->environment = phase_environment(job);
    run->command = (struct runner_command){.text = config_command(config, job->phase),
                                           .dir = job->dir,
                                           .environment = run->environment,
                                           .grace_ms = config->kill_grace * 1000,
                                           .output = on_output,
                                           .ended = on_ended,
                                           .arg = job};
    return runner_start(job->context->runner, &run->command, err);
}

void phase_start(struct job *job,
                 void (*done)(struct job *job, int status, enum stop_reason stopped))
{
    struct phase_run *run = &job->run;
    char name[64];
    struct err err = ERR_INIT;

    *run = (struct phase_run){.serial_fd = -1, .done = done};
    run->oom_kills = runner_oom_kills(job->context->runner);
    (void)snprintf(name, sizeof(name), "%s.log", phase_name(job->phase));
    run->output = open_log(job, LOG_OUTPUT, name);
    if (!run->output) {
        done(job, 1, STOP_NONE);
        return;
    }
    (void)job_post_device_info(job, NULL);
    say_banner(job);
    arm(job);
    if (run_command(job, &err) < 0) {
        log_error("phase", "job=%s phase=%s error=%s", job->id, phase_name(job->phase),
                  LOG_VALUE(err.text));
        output_say(run->output, err.text);
        on_ended(job, 1);
    }
    sender_kick(job->sender);
}

void phase_note(struct job *job, enum phase phase, const char *text)
{
    struct output *output;
    char name[64];

    job->phase = phase;
    (void)snprintf(name, sizeof(name), "%s.log", phase_name(phase));
    output = open_log(job, LOG_OUTPUT, name);
    if (!output)
        return;
    output_say(output, text);
    output_say(output, "\n");
    output_end(output);
    sender_kick(job->sender);
}

void phase_done(struct job *job)
{
    struct phase_run *run = &job->run;

    if (run->stop.reactor) {
        stop_looking(job);
        reactor_disarm(job->context->reactor, &run->serial_step);
    }
    if (run->serial_fd > 0)
        (void)close(run->serial_fd);
    phase_free_environment(run->environment);
    run->environment = NULL;
}
