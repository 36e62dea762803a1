/* SPDX-License-Identifier: GPL-3.0-or-later
 * At most one job at a time, in order of name, round and round until none is left. */
#include "agent/courier.h"

#include "agent/config.h"
#include "agent/job.h"
#include "agent/reactor.h"
#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/log.h"

#include <stdlib.h>
#include <strings.h>

struct courier {
    struct context *context;
    struct job *job; /* being brought */
    struct timer look;
    char cursor[SPOOL_CURSOR_SIZE];
    int64_t pause_s; /* before the try that comes next; 0: the last one went well */
    bool some_failed;
};

static void look_now(struct courier *c)
{
    reactor_after(c->context->reactor, &c->look, 0);
}

static void look_later(struct courier *c)
{
    const struct config *config = c->context->config;

    c->pause_s = c->pause_s ? 2 * c->pause_s : config->server_pause_min;
    if (c->pause_s > config->server_pause_max)
        c->pause_s = config->server_pause_max;
    reactor_after(c->context->reactor, &c->look, c->pause_s * 1000);
}

static void on_ended(void *arg, enum job_end end)
{
    struct courier *c = arg;

    log_info("delivered", "job=%s kept=%d", c->job->id, end == JOB_KEPT);
    job_free(c->job);
    c->job = NULL;
    if (end == JOB_KEPT) {
        c->some_failed = true;
        look_later(c);
    } else {
        c->pause_s = 0;
        look_now(c);
    }
}

/* All were tried once. */
static void end_round(struct courier *c)
{
    c->cursor[0] = '\0';
    if (c->some_failed)
        look_later(c);
    c->some_failed = false;
}

static void on_look(void *arg)
{
    struct courier *c = arg;
    struct err err = ERR_INIT;
    AUTO_FREE char *dir = NULL;
    struct record record;

    if (spool_next(c->context->spool, SPOOL_OVER, c->cursor, &dir, &record) == 0) {
        end_round(c);
        return;
    }
    c->job = job_take_up(c->context, dir, &record, &err);
    if (c->job) {
        log_info("deliver", "job=%s", c->job->id);
        job_start(c->job, on_ended, c);
    } else {
        log_error("deliver", "dir=%s error=%s", LOG_VALUE(dir), LOG_VALUE(err.text));
        (void)spool_put_aside(c->context->spool, dir, NULL);
        look_now(c);
    }
}

void courier_kick(struct courier *courier, bool is_back)
{
    if (courier->job)
        return;
    if (is_back)
        courier->pause_s = 0;
    if (is_back || !courier->look.armed)
        look_now(courier);
}

void courier_forget(struct courier *courier, const char *job_id)
{
    if (!courier->job || strcasecmp(courier->job->id, job_id) != 0)
        return;
    job_free(courier->job);
    courier->job = NULL;
    look_now(courier);
}

struct courier *courier_new(struct context *context)
{
    struct courier *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    c->context = context;
    c->look = (struct timer){.fire = on_look, .arg = c};
    return c;
}

void courier_free(struct courier *courier)
{
    if (!courier)
        return;
    reactor_disarm(courier->context->reactor, &courier->look);
    job_free(courier->job);
    free(courier);
}
