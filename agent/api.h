/* SPDX-License-Identifier: GPL-3.0-or-later
 * Calls to the server, none of which waits.
 *
 * A call goes into a lane; in a lane calls go out one after the other in the order given, lanes run
 * side by side.  A call that got no reply or a 5xx is repeated (by default five times, pausing
 * 0.3 s * 2^n, or as long as the server says); a 401 drops the access token, fetches a fresh one
 * and repeats once.
 *
 *     struct api_call *call = api_call_new("POST", on_posted, job);
 *     api_path(call, "/v1/result/", job->id, NULL);
 *     buf_adds(&call->body, "{}");
 *     api_send(api, API_MAIN, call);
 */
#ifndef AGENT_API_H
#define AGENT_API_H

#include "agent/pace.h"
#include "agent/reactor.h"
#include "agent/record.h"
#include "common/buf.h"
#include "common/err.h"
#include "fetch/fetch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API_BODY_MAX  (24 * 1024 * 1024) /* a definition, or a result the server takes (16 MiB) */
#define API_REPLY_MAX (32 * 1024 * 1024)
#define API_PATH_MAX  (512 * 1024) /* a thousand queue names */
#define API_RETRIES   5
#define API_TIMEOUT_S 60

enum api_lane {
    API_MAIN,   /* the order of a job: states, results, artifacts */
    API_LOG,    /* fragments */
    API_ASK,    /* between phases: what waits in the other lanes need not be there first */
    API_WATCH,  /* is the job cancelled? */
    API_EVENTS, /* to the job's webhook, which may be slow */
    API_SPOOL,  /* all about a job whose outcome is delivered while the next one runs */
    API_CLAIM,  /* may wait at the server for a job */
    API_REPORT, /* of jobs that could not be begun: all that anybody will hear of them */
    API_LEASE,  /* renewals: nothing may hold them up */
    API_LANE_COUNT
};

/* err is NULL for a 2xx reply, else it says why the call was given up; status is 0 without reply.
 * Called once, never from api_send(). */
typedef void api_done_fn(void *arg, int status, const struct buf *body, const struct err *err);

/* Goes with the requests about a job that the server has lent. */
struct api_lease {
    char token[RECORD_TOKEN_SIZE]; /* "": none is sent */
    void (*stale)(void *arg);      /* a 409: another agent has the job; called after done */
    void *arg;
};

struct api_call {
    const char *method;
    struct buf path;   /* with query */
    struct buf body;   /* JSON; empty: none */
    char *upload_path; /* or a file, as multipart; freed with the call */
    fetch_sink_fn *sink;
    void *sink_arg;
    unsigned timeout_s;
    unsigned stall_s;
    int retries;
    struct api_lease lease; /* a copy */
    bool relayed;           /* the status is somebody else's: a 409 says nothing about the lease */
    api_done_fn *done;
    void *arg;

    /* for api.c alone */
    struct api *api;
    enum api_lane lane;
    int tries;
    bool replayed;
    struct api_call *next;
};

struct api_config {
    const char *server;        /* as configured: host:port or URL */
    const char *refresh_token; /* NULL: no authentication */
    int64_t retry_pause_ms;
};

struct api;

struct api *api_new(struct reactor *reactor, const struct api_config *config, struct err *err);
/* Drops every call. */
void api_free(struct api *api);

/* When the server last answered anything, by the reactor's clock; at first: when it was made. */
int64_t api_last_reply_ms(const struct api *api);

/* "http://host:port", for texts that people read. */
const char *api_server(const struct api *api);

/* Never NULL: without memory the program cannot go on and ends (abort). */
struct api_call *api_call_new(const char *method, api_done_fn *done, void *arg);
/* Sets the path from parts, NULL terminated; every second one is escaped: "/v1/result/", id */
void api_path(struct api_call *call, ...) __attribute__((sentinel));

/* Takes the call over. */
void api_send(struct api *api, enum api_lane lane, struct api_call *call);
/* What the server said beside the reply that done is being called for. */
const struct pace *api_pace(const struct api *api);
/* When the server last replied, with a status below 500, by the monotonic clock. */
int64_t api_heard_ms(const struct api *api);
/* Calls that wait or are under way. */
bool api_is_idle(const struct api *api, enum api_lane lane);
/* Forgets them; their done is not called. */
void api_drop(struct api *api, enum api_lane lane);

#endif
