/* SPDX-License-Identifier: GPL-3.0-or-later
 * Submits the children, uses their devices, cancels them. */
#include "connector/multi.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/submission.h"
#include "connector/builtin.h"
#include "connector/children.h"
#include "connector/environment.h"
#include "connector/job.h"
#include "connector/keys.h"
#include "connector/reservation.h"
#include "connector/server.h"
#include "connector/ssh.h"
#include "connector/stop.h"

#include <stdio.h>
#include <string.h>

#define SUBMIT_TRIES 8
#define UNDO_TRIES   2
#define CANCEL_TRIES 5
#define JOB_MAX      ((size_t)64 << 20)
#define REPLY_MAX    ((size_t)64 << 20)
#define PATH_SIZE    128

/* --- submitting ------------------------------------------------------------------------ */

static struct json_object *jobs_of(const struct run *run)
{
    struct json_object *jobs = jsn_get(job_section(run->job, "provision_data"), "jobs");

    return json_object_is_type(jobs, json_type_array) ? jobs : NULL;
}

static int check_jobs(struct json_object *jobs, struct failure *failure)
{
    size_t count = jobs ? json_object_array_length(jobs) : 0;

    if (count == 0 || count > CHILDREN_MAX)
        return failure_set(failure, FAILURE_JOB, NULL,
                           "provision_data must have 1 to %d jobs, it has %zu", CHILDREN_MAX,
                           count);
    for (size_t i = 0; i < count; i++) {
        struct json_object *job = json_object_array_get_idx(jobs, i);

        if (!json_object_is_type(job, json_type_object))
            return failure_set(failure, FAILURE_JOB, NULL, "job %zu of %zu is no job", i + 1,
                               count);
        if (submission_has_attachments(job)) /* nobody would send them: it would wait for ever */
            return failure_set(failure, FAILURE_JOB, NULL,
                               "job %zu of %zu has attachments, which only the job as a whole can "
                               "have",
                               i + 1, count);
    }
    return 0;
}

/* The child as it is submitted. */
static int make_child(const struct run *run, struct json_object *job, const char *id,
                      struct buf *ret_text, struct err *err)
{
    struct json_object *child = NULL, *allocate = json_object_new_object();
    int rc = -1;

    if (allocate && json_object_deep_copy(job, &child, NULL) == 0 &&
        jsn_set(child, "job_id", json_object_new_string(id), err) == 0 &&
        jsn_set(child, "parent_job_id", json_object_new_string(job_id(run->job)), err) == 0 &&
        jsn_set(allocate, "allocate", json_object_new_boolean(true), err) == 0 &&
        jsn_set(child, "allocate_data", json_object_get(allocate), err) == 0)
        rc = jsn_add_tree(ret_text, child);
    (void)json_object_put(allocate);
    (void)json_object_put(child);
    return rc < 0 ? err_set(err, ERR_INTERNAL, "the job is too large") : 0;
}

/* After a reply that did not come: some servers make a second job of the same id. */
static bool has_arrived(struct server *server, const char *id)
{
    struct err unheard = ERR_INIT;
    struct fetch_reply reply;
    char path[PATH_SIZE];
    bool arrived;

    (void)snprintf(path, sizeof(path), "/v1/job/%s", id);
    fetch_reply_init(&reply, REPLY_MAX);
    arrived = server_get(server, path, 1, &reply, &unheard) == 0 && reply.status == 200;
    fetch_reply_done(&reply);
    return arrived;
}

static int post_child(struct server *server, const char *id, const struct buf *text,
                      struct err *err)
{
    struct fetch_reply reply;
    int rc;

    fetch_reply_init(&reply, REPLY_MAX);
    for (int try = 1;; try++) {
        struct err why = ERR_INIT;

        rc = try > 1 && has_arrived(server, id)
                 ? 0
                 : server_post(server, "/v1/job", text, 1, &reply, &why);
        if (rc == 0 || try == SUBMIT_TRIES || !server_may_pass(&why) ||
            !server_pause(server, try)) {
            *err = rc < 0 ? why : *err;
            break;
        }
    }
    fetch_reply_done(&reply);
    return rc;
}

static int submit_child(const struct run *run, struct server *server, struct children *children,
                        struct json_object *job, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(JOB_MAX);
    const char *queue = jsn_text(job, "job_queue");
    char id[UUID_TEXT_SIZE];

    /* known to the disk before the server */
    if (uuid_make(clock_us(&clock_system), id, err) < 0 ||
        make_child(run, job, id, &text, err) < 0 || children_add(children, id, err) < 0 ||
        children_save(children, err) < 0 || post_child(server, id, &text, err) < 0)
        return err_prefix(err, "queue \"%s\"", queue ? queue : "");
    (void)printf("job %s is submitted to queue \"%s\"\n", id, queue ? queue : "");
    return 0;
}

static int submit_all(const struct run *run, struct server *server, struct children *children,
                      struct failure *failure)
{
    struct json_object *jobs = jobs_of(run);
    size_t count = json_object_array_length(jobs);

    for (size_t i = 0; i < count; i++) {
        struct err err = ERR_INIT;

        if (submit_child(run, server, children, json_object_array_get_idx(jobs, i), &err) < 0)
            return failure_set(failure, FAILURE_STAGE, &err, "could not submit job %zu of %zu",
                               i + 1, count);
    }
    return 0;
}

/* --- cancelling ------------------------------------------------------------------------ */

static int cancel_child(struct server *server, const char *id, int tries, struct err *err)
{
    static const char action[] = "{\"action\":\"cancel\"}";
    AUTO(buf) struct buf body = BUF_INIT(sizeof(action));
    struct fetch_reply reply;
    char path[PATH_SIZE];
    int rc;

    (void)snprintf(path, sizeof(path), "/v1/job/%s/action", id);
    (void)buf_adds(&body, action);
    fetch_reply_init(&reply, REPLY_MAX);
    rc = server_post(server, path, &body, tries, &reply, err);
    if (rc == 0)
        (void)printf("job %s is cancelled\n", id);
    else if (reply.status == 400 || reply.status == 404)
        rc = 0; /* it has ended, or never got to the server */
    fetch_reply_done(&reply);
    return rc;
}

/* Every one of them, even if one cannot be. */
static int cancel_all(struct server *server, const struct children *children, int tries,
                      struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < children_count(children); i++) {
        const char *id = children_id(children, i);
        char canonical[UUID_TEXT_SIZE];
        struct err why = ERR_INIT;

        /* a file may hold anything */
        if (parse_uuid(id, strlen(id), canonical, &why) == 0 &&
            cancel_child(server, canonical, tries, &why) == 0)
            continue;
        (void)printf("job %s could not be cancelled: %s\n", id, why.text);
        *err = why;
        rc = -1;
        /* a server that is away has been waited for once */
        if (server_may_pass(&why))
            tries = 1;
    }
    return rc;
}

/* --- the stages ------------------------------------------------------------------------ */

static int provision(const struct run *run, struct server *server, struct failure *failure)
{
    struct children children = {NULL};
    struct err err = ERR_INIT;
    int rc;

    if (children_init(&children, &err) < 0)
        return failure_from(failure, FAILURE_STAGE, &err);
    rc = submit_all(run, server, &children, failure);
    if (rc == 0)
        rc = multi_wait(run, server, &children, failure);
    if (rc == 0 && children_save(&children, &err) < 0)
        rc = failure_from(failure, FAILURE_STAGE, &err);
    if (rc < 0) {
        /* cleanup tries again what does not work now */
        server_ignore_stop(server);
        (void)cancel_all(server, &children, UNDO_TRIES, &err);
    }
    children_done(&children);
    return rc;
}

int multi_provision(const struct run *run, struct failure *failure)
{
    struct err err = ERR_INIT;
    struct server *server;
    int rc;

    if (check_jobs(jobs_of(run), failure) < 0)
        return -1;
    server = server_new(run->config, run->stop, &err);
    if (!server)
        return failure_from_input(failure, &err);
    rc = provision(run, server, failure);
    server_free(server);
    return rc;
}

static int add_addresses(struct environment *environment, const struct children *children,
                         struct err *err)
{
    for (size_t i = 0; i < children_count(children); i++) {
        char name[40];

        (void)snprintf(name, sizeof(name), "DEVICE_IP_%zu", i + 1);
        if (environment_set(environment, name, children_device_ip(children, i), err) < 0)
            return -1;
    }
    return 0;
}

int multi_runtest(const struct run *run, struct failure *failure)
{
    struct environment environment = {0};
    struct children children = {NULL};
    struct err err = ERR_INIT;
    int status;

    if (children_load(&children, &err) < 0)
        status = failure_from(failure, FAILURE_STAGE, &err);
    else if (environment_for(&environment, run, &err) < 0 ||
             add_addresses(&environment, &children, &err) < 0)
        status = failure_from_input(failure, &err);
    else
        status = runtest_with(run, &environment, failure);
    environment_done(&environment);
    children_done(&children);
    return status;
}

static int reserve(const struct run *run, const struct children *children, struct failure *failure)
{
    struct ssh devices[CHILDREN_MAX];
    struct reservation reservation;
    struct err err = ERR_INIT;
    size_t count = children_count(children);

    if (count == 0 || count > CHILDREN_MAX)
        return failure_set(failure, FAILURE_STAGE, NULL, "there are no devices to reserve");
    for (size_t i = 0; i < count; i++)
        if (ssh_of_device(&devices[i], run, children_device_ip(children, i),
                          children_ssh_port(children, i), &err) < 0)
            return failure_set(failure, FAILURE_STAGE, &err, "device %zu cannot be reserved",
                               i + 1);
    if (reservation_read(&reservation, run, &err) < 0 || keys_add(run, devices, count, &err) < 0)
        return failure_from_input(failure, &err);
    reservation_print_head();
    for (size_t i = 0; i < count; i++)
        reservation_print_device(&devices[i]);
    reservation_print_times(&reservation, run);
    reservation_wait(&reservation, run);
    return 0;
}

int multi_reserve(const struct run *run, struct failure *failure)
{
    struct children children = {NULL};
    struct err err = ERR_INIT;
    int status;

    if (children_load(&children, &err) < 0)
        return failure_from(failure, FAILURE_STAGE, &err);
    status = reserve(run, &children, failure);
    children_done(&children);
    return status;
}

int multi_cleanup(const struct run *run, struct failure *failure)
{
    struct children children = {NULL};
    struct server *server = NULL;
    struct err err = ERR_INIT;
    int rc = children_load(&children, &err);

    if (rc == 0 && children_count(&children) > 0) {
        server = server_new(run->config, run->stop, &err);
        rc = server ? cancel_all(server, &children, CANCEL_TRIES, &err) : -1;
    }
    server_free(server);
    children_done(&children);
    return rc < 0 ? failure_set(failure, FAILURE_STAGE, &err,
                                "could not cancel every job of the devices")
                  : 0;
}
