/* SPDX-License-Identifier: GPL-3.0-or-later
 * The agent's states as a table.  The action of a state starts something; what becomes of it is an
 * event that decides the next state. */
#include "agent/loop.h"

#include "agent/api.h"
#include "agent/config.h"
#include "agent/courier.h"
#include "agent/job.h"
#include "agent/job_stop.h"
#include "agent/logfile.h"
#include "agent/own.h"
#include "agent/reactor.h"
#include "agent/rounds.h"
#include "agent/telemetry.h"
#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LEAVE_MS      5000 /* for the last posts */
#define LEAVE_LOOK_MS 20

static loop_action_fn leave;

static const struct {
    const char *name;
    loop_action_fn *action;
} states[LOOP_STATE_COUNT] = {
    [LOOP_ALIVE] = {"alive", round_ask_alive}, [LOOP_AWAY] = {"away", round_wait_away},
    [LOOP_HELLO] = {"hello", round_say_hello}, [LOOP_LEFT] = {"left", round_take_up_left},
    [LOOP_OWN] = {"own", round_ask_own},       [LOOP_OFFLINE] = {"offline", round_be_offline},
    [LOOP_CLAIM] = {"claim", round_claim},     [LOOP_PAUSE] = {"pause", round_wait_poll},
    [LOOP_JOB] = {"job", round_run_job},       [LOOP_LEAVE] = {"leave", leave},
};

/* clang-format off */
static const struct {
    enum loop_state from;
    enum loop_event event;
    enum loop_state to;
} transitions[] = {
    {LOOP_ALIVE,   LOOP_OK,             LOOP_HELLO},
    {LOOP_ALIVE,   LOOP_FAILED,         LOOP_AWAY},
    {LOOP_AWAY,    LOOP_OK,             LOOP_ALIVE},
    {LOOP_HELLO,   LOOP_OK,             LOOP_LEFT},
    {LOOP_LEFT,    LOOP_OK,             LOOP_LEFT},   /* one is over, perhaps there are more */
    {LOOP_LEFT,    LOOP_NONE,           LOOP_OWN},
    {LOOP_LEFT,    LOOP_FAILED,         LOOP_OWN},     /* kept, for the courier */
    {LOOP_OWN,     LOOP_OK,             LOOP_CLAIM},
    {LOOP_OWN,     LOOP_FAILED,         LOOP_AWAY},
    {LOOP_OWN,     LOOP_WANTED_OFFLINE, LOOP_OFFLINE},
    {LOOP_OWN,     LOOP_WANTED_RESTART, LOOP_LEAVE},
    {LOOP_OFFLINE, LOOP_OK,             LOOP_ALIVE},
    {LOOP_CLAIM,   LOOP_OK,             LOOP_JOB},
    {LOOP_CLAIM,   LOOP_NONE,           LOOP_PAUSE},
    {LOOP_CLAIM,   LOOP_WAITED,         LOOP_ALIVE},
    {LOOP_CLAIM,   LOOP_FAILED,         LOOP_PAUSE},
    {LOOP_PAUSE,   LOOP_OK,             LOOP_ALIVE},
    {LOOP_JOB,     LOOP_OK,             LOOP_ALIVE},
    {LOOP_JOB,     LOOP_FAILED,         LOOP_PAUSE},   /* it could not even be begun */
};
/* clang-format on */

static void enter(struct loop *l, enum loop_state state)
{
    log_debug("state", "state=%s", states[state].name);
    l->state = state;
    states[state].action(l);
}

static void on_step(void *arg)
{
    struct loop *l = arg;

    if (l->stopping && l->state != LOOP_LEAVE) {
        enter(l, LOOP_LEAVE);
        return;
    }
    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
        if (transitions[i].from == l->state && transitions[i].event == l->event) {
            enter(l, transitions[i].to);
            return;
        }
    assert(!"a state came to what the table does not know");
}

void loop_comes_to(struct loop *l, enum loop_event event)
{
    assert(!l->step.armed);
    l->event = event;
    reactor_after(l->context->reactor, &l->step, 0);
}

static void on_pause_over(void *arg)
{
    loop_comes_to(arg, LOOP_OK);
}

void loop_pause_for_ms(struct loop *l, int64_t ms)
{
    reactor_after(l->context->reactor, &l->pause, ms);
}

void loop_pause_for(struct loop *l, int64_t seconds)
{
    loop_pause_for_ms(l, seconds * 1000);
}

/* --- leaving --------------------------------------------------------------------------- */

static void stop_now(void *arg)
{
    reactor_stop(((struct loop *)arg)->context->reactor);
}

/* The last posts are on their way: they have a moment.  What nobody would hear of otherwise has as
 * long as a job would have. */
static void look_if_told(void *arg)
{
    struct loop *l = arg;
    int64_t now_ms = clock_ms(l->context->reactor->clock);
    int64_t extra_ms = l->context->config->stop_timeout * 1000;

    if ((api_is_idle(l->context->api, API_MAIN) || now_ms >= l->leave_until_ms) &&
        (api_is_idle(l->context->api, API_REPORT) || now_ms >= l->leave_until_ms + extra_ms))
        stop_now(l);
    else
        reactor_after(l->context->reactor, &l->pause, LEAVE_LOOK_MS);
}

static void leave(struct loop *l)
{
    log_info("leave", "status=%d", l->status);
    telemetry_stopping(l->context->telemetry,
                       LEAVE_MS / 1000 + (api_is_idle(l->context->api, API_REPORT)
                                              ? 0
                                              : l->context->config->stop_timeout));
    if (l->status == LOOP_STATUS_RESTART)
        own_post_offline(l->context, NULL, NULL);
    l->leave_until_ms = clock_ms(l->context->reactor->clock) + LEAVE_MS;
    l->pause.fire = look_if_told;
    look_if_told(l);
}

static void on_patience_over(void *arg)
{
    struct loop *l = arg;

    if (l->job)
        job_hurry(l->job);
}

static void on_terminate(struct loop *l)
{
    struct reactor *reactor = l->context->reactor;

    log_info("signal", "the agent is asked to end%s", l->stopping ? " at once" : "");
    if (l->job && l->stopping) {
        job_hurry(l->job);
    } else if (l->job) {
        reactor_after(reactor, &l->patience, l->context->config->stop_timeout * 1000);
        l->stopping = true;
        telemetry_stopping(l->context->telemetry, l->context->config->stop_timeout);
        job_shut_down(l->job);
    } else if (l->state == LOOP_LEAVE) {
        stop_now(l);
    } else {
        l->stopping = true;
        reactor_disarm(reactor, &l->pause);
        reactor_disarm(reactor, &l->step);
        reactor_disarm(reactor, &l->look);
        api_drop(l->context->api, API_MAIN);
        api_drop(l->context->api, API_CLAIM);
        enter(l, LOOP_LEAVE);
    }
}

static void on_restart_wish(struct loop *l)
{
    l->context->wishes.restart = true;
    if (l->state == LOOP_PAUSE && l->pause.armed) {
        reactor_disarm(l->context->reactor, &l->pause);
        loop_comes_to(l, LOOP_OK);
    }
    round_end_waiting(l);
}

static void on_signal(void *arg)
{
    struct loop *l = arg;
    struct signalfd_siginfo info;
    struct err err = ERR_INIT;

    while (read(l->signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGUSR1)
            on_restart_wish(l);
        else if (info.ssi_signo != SIGHUP)
            on_terminate(l);
        else if (log_reopen(&err) < 0)
            log_error("log", "error=%s", LOG_VALUE(err.text));
    }
}

/* --- life ------------------------------------------------------------------------------ */

static void on_daily(void *arg)
{
    struct loop *l = arg;

    logfile_rotate(l->context->config->logging_basedir);
    reactor_after(l->context->reactor, &l->daily, LOGFILE_LOOK_MS);
}

struct loop *loop_new(struct context *context, struct err *err)
{
    struct loop *l = calloc(1, sizeof(*l));
    sigset_t set;

    if (!l) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGHUP);
    l->context = context;
    l->own = (struct own_record){NULL, "", ""};
    l->signals = (struct watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), on_signal, l};
    l->step = (struct timer){.fire = on_step, .arg = l};
    l->pause = (struct timer){.fire = on_pause_over, .arg = l};
    l->patience = (struct timer){.fire = on_patience_over, .arg = l};
    l->daily = (struct timer){.fire = on_daily, .arg = l};
    l->look = (struct timer){.fire = round_look, .arg = l};
    if (l->signals.fd < 0) {
        (void)err_set_errno(err, errno, "could not watch for signals");
        free(l);
        return NULL;
    }
    l->courier = courier_new(context);
    reactor_watch(context->reactor, &l->signals);
    reactor_after(context->reactor, &l->daily, LOGFILE_LOOK_MS);
    return l;
}

void loop_free(struct loop *loop)
{
    struct reactor *reactor;

    if (!loop)
        return;
    reactor = loop->context->reactor;
    courier_free(loop->courier);
    job_free(loop->job);
    json_object_put(loop->claimed);
    own_record_done(&loop->own);
    reactor_disarm(reactor, &loop->step);
    reactor_disarm(reactor, &loop->pause);
    reactor_disarm(reactor, &loop->patience);
    reactor_disarm(reactor, &loop->daily);
    reactor_disarm(reactor, &loop->look);
    reactor_unwatch(reactor, &loop->signals);
    (void)close(loop->signals.fd);
    free(loop);
}

int loop_run(struct loop *loop, struct err *err)
{
    telemetry_ready(loop->context->telemetry);
    enter(loop, LOOP_ALIVE);
    if (reactor_run(loop->context->reactor, err) < 0)
        return -1;
    return loop->status;
}
