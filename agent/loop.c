/* SPDX-License-Identifier: GPL-3.0-or-later
 * The agent's states as a table.  The action of a state starts something; what becomes of it is an
 * event that decides the next state. */
#include "agent/loop.h"

#include "agent/api.h"
#include "agent/config.h"
#include "agent/definition.h"
#include "agent/job.h"
#include "agent/logfile.h"
#include "agent/own.h"
#include "agent/reactor.h"
#include "agent/spool.h"
#include "common/json.h"
#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define HEARTBEAT_MS   (12 * 3600 * INT64_C(1000)) /* the server wants to hear at least daily */
#define CLAIM_S        60
#define ALIVE_S        30
#define LEAVE_S        5 /* for the last post */
#define STATUS_RESTART 1 /* a supervisor starts the agent again */

enum state {
    ALIVE, /* does the server answer? */
    AWAY,  /* it does not */
    HELLO, /* once, and whenever the server seems to have forgotten the agent */
    SPOOL, /* jobs left from before */
    OWN,   /* the agent's own record */
    OFFLINE,
    CLAIM,
    PAUSE,
    JOB,
    LEAVE,
    STATE_COUNT
};

enum event { OK, FAILED, NONE, WANTED_OFFLINE, WANTED_RESTART, EVENT_COUNT };

struct loop {
    struct context *context;
    struct watch signals;
    enum state state;
    enum event event;
    struct timer step;     /* delivers the event */
    struct timer pause;    /* of AWAY, OFFLINE, PAUSE and LEAVE */
    struct timer patience; /* after SIGTERM */
    struct timer daily;
    struct own_record own;
    struct job *job;
    struct json_object *claimed;
    char cursor[SPOOL_CURSOR_SIZE];
    int64_t away_s;
    int64_t last_state_ms;
    bool introduced;
    bool stopping;
    int status;
};

typedef void action_fn(struct loop *l);

static action_fn ask_alive, wait_away, say_hello, deliver_next, ask_own, be_offline, claim,
    wait_poll, run_job, leave;

static const struct {
    const char *name;
    action_fn *action;
} states[STATE_COUNT] = {
    [ALIVE] = {"alive", ask_alive}, [AWAY] = {"away", wait_away},
    [HELLO] = {"hello", say_hello}, [SPOOL] = {"spool", deliver_next},
    [OWN] = {"own", ask_own},       [OFFLINE] = {"offline", be_offline},
    [CLAIM] = {"claim", claim},     [PAUSE] = {"pause", wait_poll},
    [JOB] = {"job", run_job},       [LEAVE] = {"leave", leave},
};

/* clang-format off */
static const struct {
    enum state from;
    enum event event;
    enum state to;
} transitions[] = {
    {ALIVE,   OK,             HELLO},
    {ALIVE,   FAILED,         AWAY},
    {AWAY,    OK,             ALIVE},
    {HELLO,   OK,             SPOOL},
    {SPOOL,   OK,             SPOOL},   /* one delivered, perhaps there are more */
    {SPOOL,   NONE,           OWN},
    {SPOOL,   FAILED,         OWN},     /* the server is away again: it will be asked */
    {OWN,     OK,             CLAIM},
    {OWN,     FAILED,         AWAY},
    {OWN,     WANTED_OFFLINE, OFFLINE},
    {OWN,     WANTED_RESTART, LEAVE},
    {OFFLINE, OK,             ALIVE},
    {CLAIM,   OK,             JOB},
    {CLAIM,   NONE,           PAUSE},
    {CLAIM,   FAILED,         PAUSE},
    {PAUSE,   OK,             ALIVE},
    {JOB,     OK,             ALIVE},
    {JOB,     FAILED,         PAUSE},   /* it could not even be begun */
};
/* clang-format on */

static void enter(struct loop *l, enum state state)
{
    log_debug("state", "state=%s", states[state].name);
    l->state = state;
    states[state].action(l);
}

static void on_step(void *arg)
{
    struct loop *l = arg;

    if (l->stopping && l->state != LEAVE) {
        enter(l, LEAVE);
        return;
    }
    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
        if (transitions[i].from == l->state && transitions[i].event == l->event) {
            enter(l, transitions[i].to);
            return;
        }
    assert(!"a state came to what the table does not know");
}

static void comes_to(struct loop *l, enum event event)
{
    assert(!l->step.armed);
    l->event = event;
    reactor_after(l->context->reactor, &l->step, 0);
}

static void on_pause_over(void *arg)
{
    comes_to(arg, OK);
}

static void pause_for(struct loop *l, int64_t seconds)
{
    reactor_after(l->context->reactor, &l->pause, seconds * 1000);
}

/* --- the server ------------------------------------------------------------------------ */

static void on_alive(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct loop *l = arg;

    (void)body;
    if (status == 0 || status >= 500) {
        log_warning("server", "url=%s error=%s", LOG_VALUE(api_server(l->context->api)),
                    LOG_VALUE(err ? err->text : ""));
        comes_to(l, FAILED);
        return;
    }
    l->away_s = 0;
    comes_to(l, OK);
}

static void ask_alive(struct loop *l)
{
    struct api_call *call = api_call_new("GET", on_alive, l);

    api_path(call, "/v1", NULL);
    call->retries = 0;
    call->timeout_s = ALIVE_S;
    api_send(l->context->api, API_MAIN, call);
}

static void wait_away(struct loop *l)
{
    const struct config *config = l->context->config;

    l->away_s = l->away_s ? 2 * l->away_s : config->server_pause_min;
    if (l->away_s > config->server_pause_max)
        l->away_s = config->server_pause_max;
    pause_for(l, l->away_s);
}

static void post_waiting(struct loop *l)
{
    own_post_state(l->context, "waiting", "");
    l->last_state_ms = clock_ms(l->context->reactor->clock);
}

static void say_hello(struct loop *l)
{
    if (!l->introduced) { /* the first post brings the cookie that names the agent */
        post_waiting(l);
        own_post_description(l->context);
        own_post_queues(l->context);
        own_post_images(l->context);
        l->introduced = true;
    }
    l->cursor[0] = '\0';
    comes_to(l, OK);
}

/* --- jobs left from before ------------------------------------------------------------- */

static void end_job(struct loop *l)
{
    job_free(l->job);
    l->job = NULL;
    reactor_disarm(l->context->reactor, &l->patience);
}

static void on_delivered(void *arg, enum job_end end)
{
    struct loop *l = arg;

    log_info("delivered", "job=%s kept=%d", l->job->id, end == JOB_KEPT);
    end_job(l);
    comes_to(l, end == JOB_KEPT ? FAILED : OK);
}

static void deliver_next(struct loop *l)
{
    struct record record;
    struct err err = ERR_INIT;
    char *dir = NULL;

    if (spool_next(l->context->spool, l->cursor, &dir, &record) == 0) {
        comes_to(l, NONE);
        return;
    }
    l->job = job_take_up(l->context, dir, &record, &err);
    if (l->job) {
        log_info("take-up", "job=%s over=%d", l->job->id, record.over);
        job_start(l->job, on_delivered, l);
    } else {
        log_error("take-up", "dir=%s error=%s", LOG_VALUE(dir), LOG_VALUE(err.text));
        (void)spool_put_aside(l->context->spool, dir, NULL);
        comes_to(l, OK);
    }
    free(dir);
}

/* --- the agent's own record ------------------------------------------------------------ */

static bool heartbeat_is_due(const struct loop *l)
{
    return clock_ms(l->context->reactor->clock) - l->last_state_ms > HEARTBEAT_MS;
}

static enum event judge(struct loop *l)
{
    struct wishes *wishes = &l->context->wishes;

    own_note_wishes(l->context, &l->own);
    if (wishes->offline)
        return WANTED_OFFLINE;
    if (wishes->restart) {
        l->status = STATUS_RESTART;
        return WANTED_RESTART;
    }
    return OK;
}

static void on_own(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct loop *l = arg;
    struct own_record record;

    if (status == 404) /* the server has forgotten the agent */
        l->introduced = false;
    if (err && (status == 0 || status >= 500)) {
        comes_to(l, FAILED);
        return;
    }
    own_record_done(&l->own);
    l->own = (struct own_record){NULL, "", ""};
    if (!err && own_parse(body, &record) == 0)
        l->own = record;
    comes_to(l, judge(l));
}

static void ask_own(struct loop *l)
{
    own_post_queues(l->context);
    own_ask(l->context, on_own, l);
}

static void on_offline_posted(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct loop *l = arg;

    (void)status;
    (void)body;
    if (!err) { /* else the wish stays, and is posted again */
        l->last_state_ms = clock_ms(l->context->reactor->clock);
        l->context->wishes.offline = NULL;
        l->context->wishes.comment[0] = '\0';
    }
    pause_for(l, l->context->config->polling_interval);
}

static void be_offline(struct loop *l)
{
    const char *state = l->context->wishes.offline;

    log_info("offline", "state=%s comment=%s", state, LOG_VALUE(l->own.comment));
    if (strcmp(l->own.state, state) != 0 || heartbeat_is_due(l)) {
        own_post_offline(l->context, on_offline_posted, l);
        return;
    }
    /* nothing is posted without need: it could undo what somebody is changing just now */
    l->context->wishes.offline = NULL;
    l->context->wishes.comment[0] = '\0';
    pause_for(l, l->context->config->polling_interval);
}

/* --- jobs ------------------------------------------------------------------------------ */

static void on_claimed(void *arg, int status, const struct buf *body, const struct err *claim_err)
{
    struct loop *l = arg;
    struct err err = claim_err ? *claim_err : (struct err)ERR_INIT;

    if (status == 401 || status == 403) {
        log_error("claim", "not authorised: %s", err.text);
        l->introduced = false; /* 401 may mean that the cookie is missing */
    } else if (claim_err) {
        log_warning("claim", "error=%s", LOG_VALUE(err.text));
    }
    if (claim_err || status != 200 || body->len == 0) {
        comes_to(l, claim_err ? FAILED : NONE);
        return;
    }
    if (definition_parse(buf_text(body), body->len, &l->claimed, &err) < 0) {
        log_error("claim", "error=%s", LOG_VALUE(err.text));
        comes_to(l, FAILED);
        return;
    }
    comes_to(l, OK);
}

static void claim(struct loop *l)
{
    struct err err = ERR_INIT;
    struct api_call *call;

    if (heartbeat_is_due(l))
        post_waiting(l);
    if (spool_reserve(l->context->spool, &err) < 0) {
        log_error("disk", "error=%s", LOG_VALUE(err.text));
        comes_to(l, FAILED);
        return;
    }
    call = api_call_new("GET", on_claimed, l);
    api_path(call, "/v1/job", NULL);
    own_add_queues(l->context, &l->own, &call->path);
    call->retries = 0; /* an answer that was lost may have been a job: let the server see to it */
    call->timeout_s = CLAIM_S;
    api_send(l->context->api, API_MAIN, call);
}

static void wait_poll(struct loop *l)
{
    if (l->context->wishes.restart)
        comes_to(l, OK);
    else
        pause_for(l, l->context->config->polling_interval);
}

static void on_job_ended(void *arg, enum job_end end)
{
    struct loop *l = arg;

    log_info("job", "job=%s reason=%s kept=%d", l->job->id, l->job->reason, end == JOB_KEPT);
    end_job(l);
    if (l->context->wishes.offline)
        own_post_offline(l->context, NULL, NULL);
    else
        post_waiting(l);
    comes_to(l, OK);
}

/* The job was taken and cannot be run: whoever waits for it must hear of that. */
static void report_impossible(struct loop *l, const char *id)
{
    struct api_call *call = api_call_new("POST", NULL, NULL);

    api_path(call, "/v1/result/", id, NULL);
    (void)buf_adds(&call->body, "{\"status\":{\"setup\":1},\"job_state\":\"complete\"}");
    api_send(l->context->api, API_MAIN, call);
}

static void run_job(struct loop *l)
{
    struct json_object *definition = l->claimed;
    struct err err = ERR_INIT;

    l->claimed = NULL;
    log_info("job", "job=%s queue=%s", jsn_text(definition, "job_id"),
             LOG_VALUE(jsn_text(definition, "job_queue")));
    (void)json_object_get(definition); /* one for us, to know the id if it fails */
    l->job = job_new(l->context, definition, &err);
    if (l->job) {
        job_start(l->job, on_job_ended, l);
    } else {
        log_error("job", "job=%s error=%s", jsn_text(definition, "job_id"), LOG_VALUE(err.text));
        report_impossible(l, jsn_text(definition, "job_id"));
        comes_to(l, FAILED);
    }
    json_object_put(definition);
}

/* --- leaving --------------------------------------------------------------------------- */

static void stop_now(void *arg)
{
    reactor_stop(((struct loop *)arg)->context->reactor);
}

static void on_farewell(void *arg, int status, const struct buf *body, const struct err *err)
{
    (void)status;
    (void)body;
    (void)err;
    stop_now(arg);
}

static void leave(struct loop *l)
{
    log_info("leave", "status=%d", l->status);
    if (l->status != STATUS_RESTART) {
        stop_now(l);
        return;
    }
    own_post_offline(l->context, on_farewell, l);
    l->pause.fire = stop_now;
    pause_for(l, LEAVE_S);
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
        job_shut_down(l->job);
    } else if (l->state != LEAVE) {
        l->stopping = true;
        reactor_disarm(reactor, &l->pause);
        reactor_disarm(reactor, &l->step);
        api_drop(l->context->api, API_MAIN);
        enter(l, LEAVE);
    }
}

static void on_restart_wish(struct loop *l)
{
    l->context->wishes.restart = true;
    if (l->state == PAUSE && l->pause.armed) {
        reactor_disarm(l->context->reactor, &l->pause);
        comes_to(l, OK);
    }
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
    if (l->signals.fd < 0) {
        (void)err_set_errno(err, errno, "could not watch for signals");
        free(l);
        return NULL;
    }
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
    job_free(loop->job);
    json_object_put(loop->claimed);
    own_record_done(&loop->own);
    reactor_disarm(reactor, &loop->step);
    reactor_disarm(reactor, &loop->pause);
    reactor_disarm(reactor, &loop->patience);
    reactor_disarm(reactor, &loop->daily);
    reactor_unwatch(reactor, &loop->signals);
    (void)close(loop->signals.fd);
    free(loop);
}

int loop_run(struct loop *loop, struct err *err)
{
    enter(loop, ALIVE);
    if (reactor_run(loop->context->reactor, err) < 0)
        return -1;
    return loop->status;
}
