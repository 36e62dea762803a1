/* SPDX-License-Identifier: GPL-3.0-or-later
 * Lanes, repeats and the access token.  The call at the head of a lane is the one under way. */
#include "agent/api.h"

#include "fetch/multi.h"
#include "fetch/refusal.h"
#include "fetch/token.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFRESH_TIMEOUT_S 30
#define TOKEN_REPLY_MAX   (256 * 1024)
#define REPEAT_MAX_S      60 /* however long the server asks for: a job waits for the call */
#define LEASE_HEADER      "Testflinger-Lease: "

struct lane {
    struct api *api;
    struct api_call *first;
    struct fetch_exchange *exchange; /* of the first call, or its token */
    struct timer pause;
    struct fetch_reply reply;
    struct buf url;
    struct buf request; /* for a token */
    char *used_token;   /* with which the first call went out */
    char lease[sizeof(LEASE_HEADER) + RECORD_TOKEN_SIZE];
    const char *headers[2];
};

struct api {
    struct reactor *reactor;
    struct fetch *client;
    struct fetch_multi *multi;
    struct watch watch;
    struct lane lanes[API_LANE_COUNT];
    char *server;
    char *refresh_token;
    char *access_token;
    int64_t retry_pause_ms;
    int64_t last_reply_ms;
    int64_t heard_ms; /* the same, but a proxy that answers for a server that is away counts not */
    struct pace pace; /* of the last reply */
};

static void begin(struct lane *lane);

static void on_ready(void *arg)
{
    fetch_multi_run(((struct api *)arg)->multi);
}

static void on_pause_over(void *arg)
{
    begin(arg);
}

/* --- calls ----------------------------------------------------------------------------- */

struct api_call *api_call_new(const char *method, api_done_fn *done, void *arg)
{
    struct api_call *call = calloc(1, sizeof(*call));

    if (!call)
        abort();
    call->method = method;
    buf_init(&call->path, API_PATH_MAX);
    buf_init(&call->body, API_BODY_MAX);
    call->timeout_s = API_TIMEOUT_S;
    call->retries = API_RETRIES;
    call->done = done;
    call->arg = arg;
    return call;
}

static void free_call(struct api_call *call)
{
    buf_done(&call->path);
    buf_done(&call->body);
    free(call->upload_path);
    free(call);
}

void api_path(struct api_call *call, ...)
{
    bool escaped = false;
    const char *part;
    va_list parts;

    va_start(parts, call);
    while ((part = va_arg(parts, const char *))) {
        (void)(escaped ? fetch_add_escaped(&call->path, part) : buf_adds(&call->path, part));
        escaped = !escaped;
    }
    va_end(parts);
}

static struct api_call *take_first(struct lane *lane)
{
    struct api_call *call = lane->first;

    lane->first = call->next;
    free(lane->used_token);
    lane->used_token = NULL;
    return call;
}

/* The first call is over; the next one begins before it is told, so that order is kept. */
static void finish(struct lane *lane, int status, const struct err *err)
{
    struct api_call *call = take_first(lane);
    struct buf body = lane->reply.body; /* the next call writes to the lane's own */
    bool is_stale = status == 409 && call->lease.token[0] && !call->relayed;

    pace_of(&lane->reply, &lane->api->pace);
    buf_init(&lane->reply.body, API_REPLY_MAX);
    if (lane->first)
        begin(lane);
    if (call->done)
        call->done(call->arg, status, &body, err);
    if (is_stale && call->lease.stale)
        call->lease.stale(call->lease.arg);
    buf_done(&body);
    free_call(call);
}

static bool repeat_later(struct lane *lane)
{
    struct api_call *call = lane->first;
    int64_t pause_ms = lane->api->retry_pause_ms << call->tries;
    struct pace pace;
    int64_t told_ms;

    if (call->tries >= call->retries)
        return false;
    pace_of(&lane->reply, &pace);
    told_ms = (pace.retry_after_s < REPEAT_MAX_S ? pace.retry_after_s : REPEAT_MAX_S) * 1000;
    if (told_ms > pause_ms)
        pause_ms = pace_spread_ms(told_ms, pace_random());
    reactor_after(lane->api->reactor, &lane->pause, pause_ms);
    call->tries++;
    return true;
}

/* --- the access token ------------------------------------------------------------------ */

static void forget_token(struct lane *lane)
{
    struct api *api = lane->api;

    /* another lane may have fetched a fresh one meanwhile */
    if (api->access_token && lane->used_token && strcmp(api->access_token, lane->used_token) == 0) {
        free(api->access_token);
        api->access_token = NULL;
    }
}

static void on_token(void *arg, struct fetch_reply *reply, const struct err *err)
{
    struct lane *lane = arg;
    struct err why = err ? *err : (struct err)ERR_INIT;
    char *token = NULL;

    lane->exchange = NULL;
    if (reply->status == 200)
        (void)fetch_token_take(reply, &token, &why);
    else if (!err)
        (void)fetch_refusal(reply, &why);
    if (token) {
        free(lane->api->access_token);
        lane->api->access_token = token;
        begin(lane);
    } else if (fetch_classify(reply, err) != FETCH_RETRY || !repeat_later(lane)) {
        (void)err_prefix(&why, "could not get an access token");
        finish(lane, reply->status == 0 ? 0 : 401, &why);
    }
}

static int start_token(struct lane *lane, struct err *err)
{
    struct api *api = lane->api;

    buf_clear(&lane->url);
    buf_clear(&lane->request);
    (void)buf_addf(&lane->url, "%s/v1/oauth2/refresh", api->server);
    (void)fetch_token_ask(&lane->request, api->refresh_token);
    const struct fetch_request req = {.method = "POST",
                                      .url = buf_text(&lane->url),
                                      .timeout_s = REFRESH_TIMEOUT_S,
                                      .body = buf_text(&lane->request),
                                      .body_len = lane->request.len};
    lane->exchange = fetch_start(api->multi, &req, &lane->reply, on_token, lane, err);
    return lane->exchange ? 0 : -1;
}

/* --- one call -------------------------------------------------------------------------- */

static void on_reply(void *arg, struct fetch_reply *reply, const struct err *err)
{
    struct lane *lane = arg;
    enum fetch_class class = fetch_classify(reply, err);
    struct err why = err ? *err : (struct err)ERR_INIT;

    lane->exchange = NULL;
    if (reply->status != 0)
        lane->api->last_reply_ms = clock_ms(lane->api->reactor->clock);
    if (reply->status > 0 && reply->status < 500)
        lane->api->heard_ms = lane->api->last_reply_ms;
    if (class == FETCH_OK) {
        finish(lane, reply->status, NULL);
        return;
    }
    if (class == FETCH_AUTH && lane->api->refresh_token && !lane->first->replayed) {
        lane->first->replayed = true;
        forget_token(lane);
        begin(lane);
        return;
    }
    if (class == FETCH_RETRY && repeat_later(lane))
        return;
    if (!err)
        (void)fetch_refusal(reply, &why);
    finish(lane, reply->status, &why);
}

static int start_call(struct lane *lane, struct err *err)
{
    struct api *api = lane->api;
    struct api_call *call = lane->first;

    free(lane->used_token);
    lane->used_token = api->access_token ? strdup(api->access_token) : NULL;
    (void)snprintf(lane->lease, sizeof(lane->lease), LEASE_HEADER "%s", call->lease.token);
    lane->headers[0] = call->lease.token[0] ? lane->lease : NULL;
    buf_clear(&lane->url);
    (void)buf_adds(&lane->url, api->server);
    (void)buf_add(&lane->url, buf_text(&call->path), call->path.len);
    if (buf_failed(&lane->url) || buf_failed(&call->path) || buf_failed(&call->body))
        return err_set(err, ERR_TOO_LARGE, "could not send a request: it is too large");
    const struct fetch_request req = {.method = call->method,
                                      .url = buf_text(&lane->url),
                                      .timeout_s = call->timeout_s,
                                      .stall_s = call->stall_s,
                                      .bearer = lane->used_token,
                                      .headers = lane->headers[0] ? lane->headers : NULL,
                                      .body = call->body.len ? buf_text(&call->body) : NULL,
                                      .body_len = call->body.len,
                                      .upload_path = call->upload_path,
                                      .sink = call->sink,
                                      .sink_arg = call->sink_arg};
    lane->exchange = fetch_start(api->multi, &req, &lane->reply, on_reply, lane, err);
    return lane->exchange ? 0 : -1;
}

static void begin(struct lane *lane)
{
    struct api *api = lane->api;
    struct err err = ERR_INIT;
    int rc =
        api->refresh_token && !api->access_token ? start_token(lane, &err) : start_call(lane, &err);

    if (rc < 0 && !repeat_later(lane))
        finish(lane, 0, &err);
}

void api_send(struct api *api, enum api_lane lane, struct api_call *call)
{
    struct api_call **end = &api->lanes[lane].first;
    bool idle = !*end;

    while (*end)
        end = &(*end)->next;
    *end = call;
    call->lane = lane;
    if (idle) /* from the loop, so that done is never called from here */
        reactor_after(api->reactor, &api->lanes[lane].pause, 0);
}

const struct pace *api_pace(const struct api *api)
{
    return &api->pace;
}

int64_t api_heard_ms(const struct api *api)
{
    return api->heard_ms;
}

bool api_is_idle(const struct api *api, enum api_lane lane)
{
    return !api->lanes[lane].first;
}

void api_drop(struct api *api, enum api_lane which)
{
    struct lane *lane = &api->lanes[which];

    if (lane->exchange)
        fetch_cancel(lane->exchange);
    lane->exchange = NULL;
    reactor_disarm(api->reactor, &lane->pause);
    while (lane->first)
        free_call(take_first(lane));
}

/* --- life ------------------------------------------------------------------------------ */

static int set_up(struct api *api, const struct api_config *config, struct err *err)
{
    api->server = fetch_base_url(config->server);
    api->refresh_token = config->refresh_token ? strdup(config->refresh_token) : NULL;
    api->retry_pause_ms = config->retry_pause_ms;
    if (!api->server || (config->refresh_token && !api->refresh_token))
        return err_set(err, ERR_INTERNAL, "out of memory");
    api->client = fetch_new("testflinger-agent", err);
    api->multi = api->client ? fetch_multi_new(api->client, err) : NULL;
    if (!api->multi)
        return -1;
    api->watch = (struct watch){fetch_multi_fd(api->multi), on_ready, api};
    reactor_watch(api->reactor, &api->watch);
    return 0;
}

struct api *api_new(struct reactor *reactor, const struct api_config *config, struct err *err)
{
    struct api *api = calloc(1, sizeof(*api));

    if (!api) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    api->reactor = reactor;
    api->heard_ms = api->last_reply_ms = clock_ms(reactor->clock);
    for (int i = 0; i < API_LANE_COUNT; i++) {
        api->lanes[i].api = api;
        api->lanes[i].pause = (struct timer){.fire = on_pause_over, .arg = &api->lanes[i]};
        fetch_reply_init(&api->lanes[i].reply, API_REPLY_MAX);
        buf_init(&api->lanes[i].url, API_PATH_MAX + 4096);
        buf_init(&api->lanes[i].request, TOKEN_REPLY_MAX);
    }
    if (set_up(api, config, err) < 0) {
        api_free(api);
        return NULL;
    }
    return api;
}

void api_free(struct api *api)
{
    if (!api)
        return;
    for (enum api_lane i = 0; i < API_LANE_COUNT; i++) {
        api_drop(api, i);
        fetch_reply_done(&api->lanes[i].reply);
        buf_done(&api->lanes[i].url);
        buf_done(&api->lanes[i].request);
    }
    if (api->multi)
        reactor_unwatch(api->reactor, &api->watch);
    fetch_multi_free(api->multi);
    fetch_free(api->client);
    free(api->access_token);
    free(api->refresh_token);
    free(api->server);
    free(api);
}

int64_t api_last_reply_ms(const struct api *api)
{
    return api->last_reply_ms;
}

const char *api_server(const struct api *api)
{
    return api->server;
}
