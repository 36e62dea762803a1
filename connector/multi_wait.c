/* SPDX-License-Identifier: GPL-3.0-or-later
 * Looks at the children, and at the job itself, until all have a device or one has ended. */
#include "connector/multi.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/parse.h"
#include "connector/children.h"
#include "connector/config.h"
#include "connector/job.h"
#include "connector/server.h"
#include "connector/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEP_MS     (10 * 1000)
#define STEP_MAX_MS (3600 * 1000)
#define TIMEOUT_S   7200
#define STATE_SIZE  64
#define PATH_SIZE   128
#define UNKNOWN_MAX 3 /* looks in a row: a replica of the server may not know it yet */

/* The state of one job, as one answer told it. */
struct look {
    char state[STATE_SIZE]; /* "": the server does not know the job */
    struct json_object *device_info;
};

struct watch {
    const struct run *run;
    struct server *server;
    struct children *children;
    struct failure *failure;
    char state[CHILDREN_MAX][STATE_SIZE];
    int unknown[CHILDREN_MAX];
    bool away_now; /* in this round */
    bool away;     /* the server does not answer, which was told */
};

static bool is_final(const char *state)
{
    return strcmp(state, "complete") == 0 || strcmp(state, "completed") == 0 ||
           strcmp(state, "cancelled") == 0;
}

static int read_answer(const struct fetch_reply *reply, struct look *ret_look, struct err *err)
{
    struct json_object *json = NULL;
    const char *state;

    if (reply->status == 204)
        return 0;
    if (jsn_parse(buf_text(&reply->body), reply->body.len, &json, NULL) < 0)
        return err_set(err, ERR_UPSTREAM, "the server's answer is not JSON");
    state = jsn_text(json, "job_state");
    (void)snprintf(ret_look->state, sizeof(ret_look->state), "%s", state ? state : "");
    ret_look->device_info = json_object_get(jsn_get(json, "device_info"));
    (void)json_object_put(json);
    return 0;
}

/* The caller puts the device information. */
static int look_at(struct watch *w, const char *id, struct look *ret_look, struct err *err)
{
    struct fetch_reply reply;
    char path[PATH_SIZE];
    int rc;

    *ret_look = (struct look){.device_info = NULL};
    (void)snprintf(path, sizeof(path), "/v1/result/%s", id);
    fetch_reply_init(&reply, SERVER_REPLY_MAX);
    rc = server_get(w->server, path, 1, &reply, err);
    if (rc == 0)
        rc = read_answer(&reply, ret_look, err);
    fetch_reply_done(&reply);
    return rc;
}

/* A server that is away is waited for, as long as the devices are. */
static int bear(struct watch *w, const struct err *err)
{
    if (!server_may_pass(err))
        return failure_set(w->failure, FAILURE_STAGE, err, "could not ask for the devices' jobs");
    if (!w->away)
        (void)printf("the server does not answer, trying again: %s\n", err->text);
    w->away = true;
    return 0;
}

static int look_at_parent(struct watch *w)
{
    const char *id = job_id(w->run->job);
    char canonical[UUID_TEXT_SIZE];
    struct err err = ERR_INIT;
    struct look look;

    w->away_now = false;
    /* one that no server has given is not asked for */
    if (parse_uuid(id, strlen(id), canonical, NULL) < 0)
        return 0;
    if (look_at(w, canonical, &look, &err) < 0) {
        w->away_now = true;
        return bear(w, &err);
    }
    (void)json_object_put(look.device_info);
    if (!is_final(look.state))
        return 0;
    return failure_set(w->failure, FAILURE_STAGE, NULL,
                       "the job ended (%s) while its devices were being allocated", look.state);
}

/* Takes over what was learnt of a child. */
static int take(struct watch *w, size_t i, const struct look *look)
{
    const char *id = children_id(w->children, i);
    struct err err = ERR_INIT;

    w->unknown[i] = look->state[0] ? 0 : w->unknown[i] + 1;
    if (w->unknown[i] >= UNKNOWN_MAX)
        return failure_set(w->failure, FAILURE_STAGE, NULL, "the server does not know job %s", id);
    if (is_final(look->state))
        return failure_set(w->failure, FAILURE_STAGE, NULL,
                           "job %s ended (%s) before all devices were allocated", id, look->state);
    if (strcmp(look->state, "allocated") == 0 && strcmp(w->state[i], "allocated") != 0)
        (void)printf("job %s has its device%s\n", id,
                     look->device_info ? "" : ", but did not tell which");
    if (look->state[0])
        memcpy(w->state[i], look->state, sizeof(w->state[i]));
    if (look->device_info && children_set_info(w->children, i, look->device_info, &err) < 0)
        return failure_from(w->failure, FAILURE_STAGE, &err);
    return 0;
}

static int look_at_child(struct watch *w, size_t i)
{
    struct err err = ERR_INIT;
    struct look look;
    int rc;

    if (look_at(w, children_id(w->children, i), &look, &err) < 0) {
        w->away_now = true;
        return bear(w, &err);
    }
    rc = take(w, i, &look);
    (void)json_object_put(look.device_info);
    return rc;
}

/* *ret_waiting is set to how many have no device yet.  Once the server does not answer the others
 * are not asked for: each would take its time. */
static int look_at_all(struct watch *w, size_t *ret_waiting)
{
    size_t count = children_count(w->children), waiting = 0;

    if (look_at_parent(w) < 0)
        return -1;
    for (size_t i = 0; i < count && !w->away_now; i++)
        if (look_at_child(w, i) < 0)
            return -1;
    w->away = w->away_now;
    for (size_t i = 0; i < count; i++)
        waiting += strcmp(w->state[i], "allocated") != 0;
    /* what was allocated when it was last seen may have ended since */
    *ret_waiting = w->away_now ? count : waiting;
    return 0;
}

static int too_late(const struct watch *w, int64_t timeout_s, size_t waiting)
{
    for (size_t i = 0; i < children_count(w->children); i++)
        if (strcmp(w->state[i], "allocated") != 0)
            (void)printf("job %s has no device yet (%s)\n", children_id(w->children, i),
                         w->state[i][0] ? w->state[i] : "unknown");
    return failure_set(w->failure, FAILURE_STAGE, NULL,
                       "%zu of %zu devices were not allocated within %" PRId64 " seconds", waiting,
                       children_count(w->children), timeout_s);
}

static int watch(struct watch *w, int64_t timeout_s, int64_t step_ms)
{
    int64_t deadline = clock_ms(&clock_system) + timeout_s * 1000;
    size_t waiting;

    for (;;) {
        int64_t left;

        if (look_at_all(w, &waiting) < 0)
            return -1;
        if (waiting == 0)
            return 0;
        left = deadline - clock_ms(&clock_system);
        if (left <= 0)
            return too_late(w, timeout_s, waiting);
        if (stop_wait(w->run->stop, left < step_ms ? left : step_ms))
            return failure_set(w->failure, FAILURE_STAGE, NULL,
                               "ended while the devices were being allocated");
    }
}

int multi_wait(const struct run *run, struct server *server, struct children *children,
               struct failure *failure)
{
    struct watch w = {.run = run, .server = server, .children = children, .failure = failure};
    int64_t timeout_s = jsn_int(run->job->tree, "allocation_timeout", TIMEOUT_S), step_ms;
    struct err err = ERR_INIT;

    if (config_duration_ms(run->config, "allocation_step", STEP_MS, STEP_MAX_MS, &step_ms, &err) <
        0)
        return failure_from_input(failure, &err);
    if (timeout_s < 0 || timeout_s > INT64_MAX / 4000)
        timeout_s = TIMEOUT_S;
    return watch(&w, timeout_s, step_ms);
}
