/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the service says about itself: name, health and counters. */
#include <config.h>

#include "server/app.h"
#include "server/handlers/service.h"
#include "server/metrics.h"
#include "server/routes.h"
#include "server/store/service.h"

#include <inttypes.h>
#include <string.h>

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

/* What the database keeps; the reference's names where it has one. */
static const struct {
    const char *series; /* of api.read_series() */
    const char *name, *kind, *label, *help;
} kept[] = {
    {"jobs", "testflinger_jobs_total", "counter", "queue", "jobs submitted"},
    {"reservations", "testflinger_reservations_total", "counter", "queue",
     "jobs submitted that reserve"},
    {"claimed", "testflinger_jobs_claimed_total", "counter", "queue",
     "claims handed out, repeats of a job included"},
    {"finished", "testflinger_jobs_finished_total", "counter", "queue",
     "jobs ended, cancelled ones included"},
    {"dead_rows", "testflinger_dead_rows", "gauge", "table",
     "rows of a hot table that VACUUM has not removed"},
    {"snapshot_s", "testflinger_oldest_snapshot_seconds", "gauge", NULL,
     "age of the oldest transaction of the database"},
};
enum { KEPT_COUNT = sizeof(kept) / sizeof(kept[0]) };

/* A series needs its lines together, hence one buffer for each. */
static void add_value(void *cls, const struct series_value *value)
{
    struct buf *lines = cls;

    for (size_t i = 0; i < KEPT_COUNT; i++) {
        if (strcmp(kept[i].series, value->series) != 0)
            continue;
        (void)buf_adds(&lines[i], kept[i].name);
        if (kept[i].label && value->label) {
            (void)buf_addf(&lines[i], "{%s=\"", kept[i].label);
            add_label(&lines[i], value->label);
            (void)buf_adds(&lines[i], "\"}");
        }
        (void)buf_addf(&lines[i], " %" PRId64 "\n", value->value);
    }
}

/* GET /metrics.  Without a database our own counters still come: that is when they are wanted. */
int service_metrics(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    struct buf lines[KEPT_COUNT];
    struct err unreachable = ERR_INIT;
    bool known;

    (void)req;
    (void)err;
    for (size_t i = 0; i < KEPT_COUNT; i++)
        buf_init(&lines[i], RESPONSE_BODY_MAX / (KEPT_COUNT + 1));
    res->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(app->metrics, label_of, &res->body);
    known = service_store_series(app->db, add_value, lines, &unreachable) == 0;
    for (size_t i = 0; i < KEPT_COUNT; i++) {
        if (known)
            (void)buf_addf(&res->body, "# HELP %s %s\n# TYPE %s %s\n%s", kept[i].name, kept[i].help,
                           kept[i].name, kept[i].kind, buf_text(&lines[i]));
        buf_done(&lines[i]);
    }
    return 0;
}
