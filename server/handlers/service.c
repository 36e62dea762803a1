/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the service says about itself: name, health and counters. */
#include <config.h>

#include "server/app.h"
#include "server/handlers/service.h"
#include "server/metrics.h"
#include "server/routes.h"
#include "server/store/service.h"

#include <inttypes.h>

/* GET /v1/ and GET /: the text is part of the contract. */
int service_version(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    (void)app;
    (void)req;
    (void)err;
    return response_text(res, "Testflinger Server v" PACKAGE_VERSION);
}

/* GET /healthz: the process answers. */
int service_health(struct app *app, const struct request *req, struct response *res,
                   struct err *err)
{
    (void)app;
    (void)req;
    (void)err;
    return response_text(res, "OK\n");
}

/* GET /readyz: the database answers, with a schema of ours, and we are not about to stop.  The
 * reasons are told: whoever asks runs the service. */
int service_ready(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    struct err why = ERR_INIT;

    (void)req;
    (void)err;
    if (metrics_get(app->metrics, METRIC_DRAINING))
        (void)err_set(&why, ERR_UNAVAILABLE, "stopping");
    else
        (void)service_store_check_schema(app->db, &why);
    if (why.code == ERR_NONE)
        return response_text(res, "OK\n");
    if (why.code != ERR_CONFLICT && !metrics_get(app->metrics, METRIC_DRAINING))
        (void)err_set(&why, why.code, "the database cannot be used");
    res->status = 503;
    if (response_header(res, "Retry-After", "2", err) < 0 || response_text(res, why.text) < 0)
        return -1;
    return buf_addc(&res->body, '\n');
}

/* GET /openapi.json */
int service_openapi(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    (void)req;
    (void)err;
    return response_json(res, buf_text(app->openapi), app->openapi->len);
}

static struct metrics_route label_of(size_t route)
{
    return (struct metrics_route){routes[route].method, routes[route].path};
}

/* A label's value: backslash, quote and end of line are escaped (Prometheus text format). */
static void add_label(struct buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            (void)buf_adds(b, "\\n");
        else if (*text == '\\' || *text == '"')
            (void)buf_addf(b, "\\%c", *text);
        else
            (void)buf_addc(b, *text);
    }
}

/* The reference's names where it has one. */
static const struct {
    const char *name;
    const char *help;
} queue_series[QUEUE_COUNTERS] = {
    [QUEUE_JOBS] = {"testflinger_jobs_total", "jobs submitted"},
    [QUEUE_RESERVATIONS] = {"testflinger_reservations_total", "jobs submitted that reserve"},
    [QUEUE_CLAIMED] = {"testflinger_jobs_claimed_total",
                       "claims handed out, repeats of a job included"},
    [QUEUE_FINISHED] = {"testflinger_jobs_finished_total", "jobs ended, cancelled ones included"},
};

static void add_line(struct buf *b, const char *series, const char *queue, int64_t value)
{
    (void)buf_addf(b, "%s{queue=\"", series);
    add_label(b, queue);
    (void)buf_addf(b, "\"} %" PRId64 "\n", value);
}

/* A series needs its lines together, hence one buffer for each. */
static void add_queue(void *cls, const struct queue_counters *counters)
{
    struct buf *series = cls;

    for (int i = 0; i < QUEUE_COUNTERS; i++)
        add_line(&series[i], queue_series[i].name, counters->queue, counters->counts[i]);
}

static void add_series(struct buf *out, const char *name, const char *help, const struct buf *lines)
{
    (void)buf_addf(out, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
    (void)buf_add(out, buf_text(lines), lines->len);
}

/* GET /metrics.  Without a database our own counters still come: that is when they are wanted. */
int service_metrics(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    struct buf series[QUEUE_COUNTERS];
    struct err unreachable = ERR_INIT;

    (void)req;
    (void)err;
    for (int i = 0; i < QUEUE_COUNTERS; i++)
        buf_init(&series[i], RESPONSE_BODY_MAX / (QUEUE_COUNTERS + 1));
    res->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(app->metrics, label_of, &res->body);
    if (service_store_queue_counters(app->db, add_queue, series, &unreachable) == 0)
        for (int i = 0; i < QUEUE_COUNTERS; i++)
            add_series(&res->body, queue_series[i].name, queue_series[i].help, &series[i]);
    for (int i = 0; i < QUEUE_COUNTERS; i++)
        buf_done(&series[i]);
    return 0;
}
