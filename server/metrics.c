/* SPDX-License-Identifier: GPL-3.0-or-later
 * Atomic counters and their rendering.  Requests are counted by route and status, and their time
 * falls into fixed buckets by route; all of it is allocated once. */
#include "server/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *kind, *series, *labels, *help;
    bool in_us;
} rows[METRIC_COUNT] = {
#define METRIC(name, kind, text, labels, help) [METRIC_##name] = {kind, text, labels, help, false},
#define METRIC_US(name, kind, text, labels, help)                                                  \
    [METRIC_##name] = {kind, text, labels, help, true},
#include "server/metrics.def"
#undef METRIC
};

/* Statuses counted one by one; the last stands for all others. */
static const int statuses[] = {200, 204, 206, 304, 400, 401, 403, 404, 405, 408, 409, 410,
                               413, 415, 416, 422, 429, 500, 502, 503, 504, 507, 0};
enum { STATUS_COUNT = sizeof(statuses) / sizeof(statuses[0]) };

/* Upper bounds in microseconds and as Prometheus wants them. */
static const struct {
    int64_t us;
    const char *text;
} buckets[] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},     {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"},    {500000, "0.5"},
    {1000000, "1"},   {2500000, "2.5"}, {10000000, "10"}, {INT64_MAX, "+Inf"},
};
enum { BUCKET_COUNT = sizeof(buckets) / sizeof(buckets[0]) };

struct route_counts {
    atomic_uint_fast64_t by_status[STATUS_COUNT];
    atomic_uint_fast64_t by_bucket[BUCKET_COUNT];
    atomic_uint_fast64_t sum_us;
};

struct metrics {
    const struct clock *clock;
    int64_t started_ms;
    atomic_int_fast64_t values[METRIC_COUNT];
    size_t routes; /* one more in the array: requests that met no route */
    struct route_counts counts[];
};

struct metrics *metrics_new(size_t routes, const struct clock *clock, struct err *err)
{
    struct metrics *m = calloc(1, sizeof(*m) + (routes + 1) * sizeof(m->counts[0]));

    if (!m) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    m->clock = clock;
    m->started_ms = clock_ms(clock);
    m->routes = routes;
    return m;
}

void metrics_free(struct metrics *m)
{
    free(m);
}

void metrics_add(struct metrics *m, enum metric which, int64_t n)
{
    atomic_fetch_add_explicit(&m->values[which], n, memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metric which, int64_t value)
{
    atomic_store_explicit(&m->values[which], value, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *m, enum metric which)
{
    return atomic_load_explicit(&m->values[which], memory_order_relaxed);
}

static void count(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t value_of(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_request(struct metrics *m, size_t route, int status, int64_t elapsed_us)
{
    struct route_counts *counts;
    size_t s = 0;
    size_t b = 0;

    assert(route <= m->routes);
    counts = &m->counts[route];
    while (statuses[s] && statuses[s] != status)
        s++;
    while (elapsed_us > buckets[b].us)
        b++;
    count(&counts->by_status[s], 1);
    count(&counts->by_bucket[b], 1);
    count(&counts->sum_us, elapsed_us > 0 ? (uint64_t)elapsed_us : 0);
}

static bool is_first_of_series(int row)
{
    return row == 0 || strcmp(rows[row].series, rows[row - 1].series) != 0;
}

static void write_values(const struct metrics *m, struct buf *out)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        int64_t value = metrics_get(m, (enum metric)i);

        if (is_first_of_series(i))
            (void)buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[i].series, rows[i].help,
                           rows[i].series, rows[i].kind);
        (void)buf_adds(out, rows[i].series);
        if (rows[i].labels[0])
            (void)buf_addf(out, "{%s}", rows[i].labels);
        if (rows[i].in_us)
            (void)buf_addf(out, " %" PRId64 ".%06" PRId64 "\n", value / 1000000, value % 1000000);
        else
            (void)buf_addf(out, " %" PRId64 "\n", value);
    }
}

static struct metrics_route label_of(const struct metrics *m, size_t route,
                                     struct metrics_route (*route_of)(size_t route))
{
    return route < m->routes ? route_of(route) : (struct metrics_route){"any", "none"};
}

static void write_count(struct metrics_route label, int status, uint64_t n, struct buf *out)
{
    (void)buf_addf(out, "testflinger_http_requests_total{method=\"%s\",route=\"%s\",status=",
                   label.method, label.path);
    if (status)
        (void)buf_addf(out, "\"%d\"} %" PRIu64 "\n", status, n);
    else
        (void)buf_addf(out, "\"other\"} %" PRIu64 "\n", n);
}

static void write_requests(const struct metrics *m, struct metrics_route (*route_of)(size_t route),
                           struct buf *out)
{
    (void)buf_adds(out, "# HELP testflinger_http_requests_total requests answered\n"
                        "# TYPE testflinger_http_requests_total counter\n");
    for (size_t r = 0; r <= m->routes; r++)
        for (int s = 0; s < STATUS_COUNT; s++) {
            uint64_t n = value_of(&m->counts[r].by_status[s]);

            if (n)
                write_count(label_of(m, r, route_of), statuses[s], n, out);
        }
}

static void write_histogram(const struct route_counts *counts, struct metrics_route label,
                            struct buf *out)
{
    static const char name[] = "testflinger_http_request_seconds";
    uint64_t total = 0;
    uint64_t sum_us = value_of(&counts->sum_us);

    for (int b = 0; b < BUCKET_COUNT; b++) {
        total += value_of(&counts->by_bucket[b]);
        (void)buf_addf(out, "%s_bucket{method=\"%s\",route=\"%s\",le=\"%s\"} %" PRIu64 "\n", name,
                       label.method, label.path, buckets[b].text, total);
    }
    (void)buf_addf(out, "%s_sum{method=\"%s\",route=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n", name,
                   label.method, label.path, sum_us / 1000000, sum_us % 1000000);
    (void)buf_addf(out, "%s_count{method=\"%s\",route=\"%s\"} %" PRIu64 "\n", name, label.method,
                   label.path, total);
}

/* Routes nobody has asked for yet have no series: fifteen lines each would be noise. */
static bool was_used(const struct route_counts *counts)
{
    for (int b = 0; b < BUCKET_COUNT; b++)
        if (value_of(&counts->by_bucket[b]))
            return true;
    return false;
}

void metrics_write(const struct metrics *m, struct metrics_route (*route_of)(size_t route),
                   struct buf *out)
{
    (void)buf_addf(out,
                   "# HELP testflinger_uptime_seconds time since the server started\n"
                   "# TYPE testflinger_uptime_seconds gauge\ntestflinger_uptime_seconds %" PRId64
                   "\n",
                   (clock_ms(m->clock) - m->started_ms) / 1000);
    write_values(m, out);
    write_requests(m, route_of, out);
    (void)buf_adds(out, "# HELP testflinger_http_request_seconds time to the answer\n"
                        "# TYPE testflinger_http_request_seconds histogram\n");
    for (size_t r = 0; r <= m->routes; r++)
        if (was_used(&m->counts[r]))
            write_histogram(&m->counts[r], label_of(m, r, route_of), out);
}
