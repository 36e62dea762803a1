/* SPDX-License-Identifier: GPL-3.0-or-later
 * Who hears of what.  How long provision took is counted a little later than other phases: under
 * the release that it has installed, which the device is asked for over ssh. */
#include "agent/telemetry.h"

#include "agent/api.h"
#include "agent/config.h"
#include "agent/influx.h"
#include "agent/job.h"
#include "agent/metrics.h"
#include "agent/metrics_listen.h"
#include "agent/release.h"
#include "agent/spool.h"
#include "agent/supervisor.h"
#include "common/json.h"
#include "common/log.h"
#include "common/parse.h"

#include <config.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_INFO_FILE    "device-info.json"
#define DEVICE_INFO_MAX     (8 * 1024 * 1024)
#define INFLUX_PORT         8086
#define OUTCOMES_MAX        1000 /* counted; each is looked for */
#define STATE_MAX           64
#define UNCOUNTED_PROVISION (-1)

struct telemetry {
    struct context *context;
    struct supervisor supervisor;
    bool is_ready;
    struct metrics *metrics;
    struct metrics_listener *listener; /* NULL: nobody may ask */
    struct influx *influx;             /* NULL: there is none */
    char state[STATE_MAX];             /* last posted */
    bool job_running;
    struct aside *asking; /* for the release */
    char release[RELEASE_SIZE];
    int64_t provision_ms; /* to be counted when the release is known */
};

/* --- metrics --------------------------------------------------------------------------- */

static bool is_out_of_service(const struct telemetry *t)
{
    return strcmp(t->state, "offline") == 0 || strcmp(t->state, "maintenance") == 0;
}

/* In the directories, where other runs of the agent have left some, too. */
static size_t count_outcomes(const struct telemetry *t)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct record record;
    char *dir = NULL;
    size_t count = 0;

    while (count < OUTCOMES_MAX &&
           spool_next(t->context->spool, SPOOL_OVER, cursor, &dir, &record) == 1) {
        count++;
        free(dir);
    }
    return count;
}

static void write_page(void *arg, struct buf *out)
{
    const struct telemetry *t = arg;
    const struct metrics_now now = {
        .job_running = t->job_running,
        .out_of_service = is_out_of_service(t),
        .silence_ms = clock_ms(t->context->reactor->clock) - api_last_reply_ms(t->context->api),
        .outcomes_waiting = count_outcomes(t),
    };

    metrics_write(t->metrics, &now, out);
}

static int begin_metrics(struct telemetry *t, struct err *err)
{
    const struct config *config = t->context->config;
    const struct metrics_agent agent = {config->agent_id, config->identifier, PACKAGE_VERSION};
    const struct metrics_page page = {write_page, t};

    t->metrics = metrics_new(&agent, t->context->reactor->clock, err);
    if (!t->metrics)
        return -1;
    if (config->metrics_port == 0)
        return 0;
    t->listener = metrics_listen(t->context->reactor, config->metrics_address,
                                 (uint16_t)config->metrics_port, &page, err);
    return t->listener ? 0 : -1;
}

/* --- InfluxDB -------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static int begin_influx(struct telemetry *t, struct err *err)
{
    const char *port = variable("INFLUX_PORT");
    struct influx_config config = {
        .host = variable("INFLUX_HOST"),
        .port = INFLUX_PORT,
        .user = variable("INFLUX_USER"),
        .password = variable("INFLUX_PW"),
        .agent = t->context->config->agent_id,
    };

    if (!config.host)
        return 0;
    if (port && parse_int64(port, 1, UINT16_MAX, &config.port, err) < 0)
        return err_prefix(err, "environment: INFLUX_PORT");
    t->influx = influx_new(t->context->reactor, &config, err);
    return t->influx ? 0 : -1;
}

/* --- the device's release -------------------------------------------------------------- */

static void count_provision(struct telemetry *t)
{
    if (t->provision_ms != UNCOUNTED_PROVISION)
        metrics_observe(t->metrics, PHASE_PROVISION, t->release, t->provision_ms);
    t->provision_ms = UNCOUNTED_PROVISION;
}

static void forget_release(struct telemetry *t)
{
    aside_stop(t->asking);
    t->asking = NULL;
    (void)snprintf(t->release, sizeof(t->release), "%s", RELEASE_UNKNOWN);
}

static void on_release(void *arg, const struct buf *output)
{
    struct telemetry *t = arg;

    t->asking = NULL;
    if (output)
        release_parse(buf_text(output), t->release);
    log_debug("release", "release=%s", LOG_VALUE(t->release));
    count_provision(t);
}

static void ask_release(struct telemetry *t, const struct job *job)
{
    const struct aside_command answer = {.done = on_release, .arg = t};
    struct buf file = BUF_INIT(DEVICE_INFO_MAX);
    struct json_object *info = NULL;

    if (spool_read(job->dir, DEVICE_INFO_FILE, &file, NULL) == 0)
        (void)jsn_parse(buf_text(&file), file.len, &info, NULL);
    buf_done(&file);
    if (info)
        t->asking =
            release_ask(t->context->reactor, t->context->runner, info, job->definition, &answer);
    json_object_put(info);
}

/* --- what happens ---------------------------------------------------------------------- */

void telemetry_ready(struct telemetry *t)
{
    if (!t)
        return;
    supervisor_begin(&t->supervisor, t->context->reactor);
    t->is_ready = true;
    supervisor_say(&t->supervisor, "starting");
}

void telemetry_stopping(struct telemetry *t, int64_t within_s)
{
    if (t && t->is_ready)
        supervisor_stopping(&t->supervisor, within_s);
}

static void say_state(const struct telemetry *t, const char *job_id)
{
    if (!t->is_ready)
        return;
    if (t->job_running)
        supervisor_say(&t->supervisor, "job %s: %s", job_id, t->state);
    else if (is_out_of_service(t))
        supervisor_say(&t->supervisor, "out of service: %s", t->state);
    else
        supervisor_say(&t->supervisor, "waiting for a job");
}

void telemetry_state(struct telemetry *t, const char *state, const char *job_id)
{
    if (!t || (strcmp(t->state, state) == 0 && t->job_running == (*job_id != '\0')))
        return;
    t->job_running = *job_id != '\0';
    if (t->influx)
        influx_add(t->influx, state, INFLUX_NO_RESULT);
    (void)snprintf(t->state, sizeof(t->state), "%s", state);
    say_state(t, job_id);
}

void telemetry_server(struct telemetry *t, bool answers)
{
    if (!t || !t->is_ready)
        return;
    if (answers)
        say_state(t, "");
    else
        supervisor_say(&t->supervisor, "the server does not answer");
}

void telemetry_job_begins(struct telemetry *t)
{
    if (t)
        metrics_count_job(t->metrics);
}

void telemetry_phase_ended(struct telemetry *t, const struct job *job, int status,
                           enum stop_reason stopped)
{
    /* what people stopped has not failed */
    bool failed = status != 0 && stopped != STOP_CANCELLED && stopped != STOP_SHUTDOWN &&
                  stopped != STOP_LOST && stopped != STOP_SILENCE;

    if (!t)
        return;
    if (t->influx)
        influx_add(t->influx, phase_name(job->phase), status);
    if (failed)
        metrics_count_failure(t->metrics, job->phase);
    if (status == PHASE_RECOVERY_FAILED)
        metrics_count_recovery_failure(t->metrics);
    if (job->phase != PHASE_PROVISION) {
        metrics_observe(t->metrics, job->phase, t->release, job->run.took_ms);
        return;
    }
    count_provision(t); /* an earlier one whose release did not come yet */
    forget_release(t);
    t->provision_ms = job->run.took_ms;
    if (status == 0)
        ask_release(t, job);
    if (!t->asking)
        count_provision(t);
}

/* --- life ------------------------------------------------------------------------------ */

struct telemetry *telemetry_new(struct context *context, struct err *err)
{
    struct telemetry *t = calloc(1, sizeof(*t));

    if (!t) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    t->context = context;
    t->provision_ms = UNCOUNTED_PROVISION;
    forget_release(t);
    if (begin_metrics(t, err) < 0 || begin_influx(t, err) < 0) {
        telemetry_free(t);
        return NULL;
    }
    return t;
}

void telemetry_free(struct telemetry *t)
{
    if (!t)
        return;
    if (t->is_ready)
        supervisor_end(&t->supervisor);
    aside_stop(t->asking);
    metrics_listener_free(t->listener);
    metrics_free(t->metrics);
    influx_free(t->influx);
    free(t);
}
