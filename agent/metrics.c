/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counters and their rendering.  A label's value may be any text a configuration or a device can
 * hold. */
#include "agent/metrics.h"

#include "common/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX (64 * 1024)

static const int64_t bounds_s[] = {60, 120, 300, 600, 1800, 3600, 7200, 14400};
enum { BOUND_COUNT = sizeof(bounds_s) / sizeof(bounds_s[0]) };

struct durations { /* of one release of the device's system */
    char release[METRICS_RELEASE_SIZE];
    struct {
        uint64_t in_bucket[BOUND_COUNT + 1]; /* the last: longer than every bound */
        int64_t sum_ms;
    } of[PHASE_COUNT];
};

struct metrics {
    const struct clock *clock;
    int64_t started_us;
    struct buf agent; /* agent_id="…" */
    struct buf identifier;
    struct buf version;
    uint64_t jobs;
    uint64_t failures[PHASE_COUNT];
    uint64_t recovery_failures;
    size_t release_count;
    struct durations durations[METRICS_RELEASES_MAX + 1]; /* the last: all that came later */
};

/* name="value", escaped as the text format wants it. */
static int add_label(struct buf *b, const char *name, const char *value)
{
    size_t len = strlen(value);

    (void)buf_addf(b, "%s=\"", name);
    while (len > 0) {
        size_t n = utf8_char_len(value, len);

        if (n == 0)
            (void)buf_adds(b, UTF8_REPLACEMENT);
        else if (*value == '\n')
            (void)buf_adds(b, "\\n");
        else if (*value == '"' || *value == '\\')
            (void)buf_addf(b, "\\%c", *value);
        else
            (void)buf_add(b, value, n);
        value += n ? n : 1;
        len -= n ? n : 1;
    }
    (void)buf_addc(b, '"');
    return buf_failed(b) ? -1 : 0;
}

struct metrics *metrics_new(const struct metrics_agent *agent, const struct clock *clock,
                            struct err *err)
{
    struct metrics *m = calloc(1, sizeof(*m));

    if (!m) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    m->clock = clock;
    m->started_us = clock_us(clock);
    buf_init(&m->agent, LABEL_MAX);
    buf_init(&m->identifier, LABEL_MAX);
    buf_init(&m->version, LABEL_MAX);
    if (add_label(&m->agent, "agent_id", agent->agent_id) < 0 ||
        add_label(&m->identifier, "identifier", agent->identifier ? agent->identifier : "") < 0 ||
        add_label(&m->version, "version", agent->version) < 0) {
        (void)err_set(err, ERR_TOO_LARGE, "could not make labels: a text is too long");
        metrics_free(m);
        return NULL;
    }
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    buf_done(&m->agent);
    buf_done(&m->identifier);
    buf_done(&m->version);
    free(m);
}

/* --- counting -------------------------------------------------------------------------- */

void metrics_count_job(struct metrics *m)
{
    m->jobs++;
}

void metrics_count_failure(struct metrics *m, enum phase phase)
{
    m->failures[phase]++;
}

void metrics_count_recovery_failure(struct metrics *m)
{
    m->recovery_failures++;
}

static struct durations *durations_of(struct metrics *m, const char *release)
{
    struct durations *d = m->durations;

    while (d < m->durations + m->release_count && strcmp(d->release, release) != 0)
        d++;
    if (d < m->durations + m->release_count)
        return d;
    if (m->release_count < METRICS_RELEASES_MAX)
        m->release_count++;
    else
        release = "other";
    (void)snprintf(d->release, sizeof(d->release), "%s", release);
    return d;
}

void metrics_observe(struct metrics *m, enum phase phase, const char *release, int64_t ms)
{
    struct durations *d = durations_of(m, release);
    size_t bucket = 0;

    while (bucket < BOUND_COUNT && ms > bounds_s[bucket] * 1000)
        bucket++;
    d->of[phase].in_bucket[bucket]++;
    d->of[phase].sum_ms += ms;
}

/* --- writing --------------------------------------------------------------------------- */

static void add_head(struct buf *out, const char *name, const char *type, const char *help)
{
    (void)buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A series with no label but the agent. */
static void add_value(const struct metrics *m, struct buf *out, const char *name, uint64_t value)
{
    (void)buf_addf(out, "%s{%s} %" PRIu64 "\n", name, buf_text(&m->agent), value);
}

static void write_failures(const struct metrics *m, struct buf *out)
{
    add_head(out, "failures_total", "counter", "phases that failed");
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        (void)buf_addf(out, "failures_total{%s,test_phase=\"%s\"} %" PRIu64 "\n",
                       buf_text(&m->agent), phase_name((enum phase)phase), m->failures[phase]);
}

static void write_histogram(const struct metrics *m, const struct durations *d, enum phase phase,
                            struct buf *out)
{
    static const char name[] = "phase_duration_seconds";
    struct buf labels = BUF_INIT(4 * LABEL_MAX);
    uint64_t count = 0;

    (void)buf_addf(&labels, "%s,test_phase=\"%s\",%s,", buf_text(&m->agent), phase_name(phase),
                   buf_text(&m->identifier));
    (void)add_label(&labels, "release", d->release);
    for (int i = 0; i < BOUND_COUNT; i++) {
        count += d->of[phase].in_bucket[i];
        (void)buf_addf(out, "%s_bucket{%s,le=\"%" PRId64 "\"} %" PRIu64 "\n", name,
                       buf_text(&labels), bounds_s[i], count);
    }
    count += d->of[phase].in_bucket[BOUND_COUNT];
    (void)buf_addf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, buf_text(&labels), count);
    (void)buf_addf(out, "%s_sum{%s} %" PRId64 ".%03" PRId64 "\n", name, buf_text(&labels),
                   d->of[phase].sum_ms / 1000, d->of[phase].sum_ms % 1000);
    (void)buf_addf(out, "%s_count{%s} %" PRIu64 "\n", name, buf_text(&labels), count);
    buf_done(&labels);
}

/* What never ran has no series: eleven lines for each would be noise. */
static bool was_seen(const struct durations *d, enum phase phase)
{
    for (int i = 0; i <= BOUND_COUNT; i++)
        if (d->of[phase].in_bucket[i])
            return true;
    return false;
}

static void write_durations(const struct metrics *m, struct buf *out)
{
    add_head(out, "phase_duration_seconds", "histogram",
             "time that phases took, by the release of the device's system");
    for (size_t i = 0; i <= m->release_count && i <= METRICS_RELEASES_MAX; i++)
        for (int phase = 0; phase < PHASE_COUNT; phase++)
            if (was_seen(&m->durations[i], (enum phase)phase))
                write_histogram(m, &m->durations[i], (enum phase)phase, out);
}

static void write_gauge(const struct metrics *m, struct buf *out, const char *name, uint64_t value,
                        const char *help)
{
    add_head(out, name, "gauge", help);
    add_value(m, out, name, value);
}

void metrics_write(const struct metrics *m, const struct metrics_now *now, struct buf *out)
{
    add_head(out, "jobs_total", "counter", "jobs that were begun");
    add_value(m, out, "jobs_total", m->jobs);
    write_failures(m, out);
    write_durations(m, out);
    add_head(out, "recovery_failures_total", "counter",
             "phases that left the device in a state it could not be recovered from");
    add_value(m, out, "recovery_failures_total", m->recovery_failures);

    add_head(out, "testflinger_agent_info", "gauge", "always 1; the labels tell what runs");
    (void)buf_addf(out, "testflinger_agent_info{%s,%s,%s} 1\n", buf_text(&m->agent),
                   buf_text(&m->identifier), buf_text(&m->version));
    write_gauge(m, out, "testflinger_agent_start_time_seconds", (uint64_t)(m->started_us / 1000000),
                "when the agent started, in seconds since 1970");
    write_gauge(m, out, "testflinger_agent_job_running", now->job_running,
                "1 while a job is running");
    write_gauge(m, out, "testflinger_agent_out_of_service", now->out_of_service,
                "1 while the agent takes no jobs because it is offline or in maintenance");
    write_gauge(m, out, "testflinger_agent_outcomes_waiting", now->outcomes_waiting,
                "jobs whose outcome is not with the server yet");
    write_gauge(m, out, "testflinger_agent_server_silence_seconds",
                (uint64_t)(now->silence_ms / 1000), "time since the server last answered");
}
