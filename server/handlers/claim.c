/* SPDX-License-Identifier: GPL-3.0-or-later
 * GET /v1/job: an agent asks for work. */
#include "server/handlers/claim.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/parse.h"
#include "server/app.h"
#include "server/config.h"
#include "server/handlers/handlers.h"
#include "server/store/claim.h"
#include "server/wake.h"

#include <stdio.h>
#include <string.h>

#define CLAIM_TEXT_MAX ((size_t)4 << 20)
#define SECRETS_MAX    ((size_t)16 << 20) /* SQL gives 4 MiB of them, in base64 */
#define LEASE_MAX_S    3600
/* A job whose answer cannot be made would fail each agent in turn. */
#define FAILED_AGAIN_S 60

/* Adds the names of all queue=… parameters; *ret_count is how many. */
static int add_queues(const struct request *req, struct buf *b, size_t *ret_count, struct err *err)
{
    size_t count = 0;

    for (size_t i = 0; i < req->query_count; i++) {
        const char *queue = req->query[i].value;

        if (strcmp(req->query[i].name, "queue") != 0)
            continue;
        if (strlen(queue) > NAME_MAX_BYTES)
            return err_set(err, ERR_INVALID, "a queue's name is longer than %d bytes",
                           NAME_MAX_BYTES);
        if (count++ > 0)
            (void)buf_addc(b, ',');
        (void)jsn_add_string(b, queue, strlen(queue));
    }
    *ret_count = count;
    return 0;
}

/* lease=SECONDS and boot=ID: the agent takes part in leases and tells when it was started anew. */
static int add_lease(const struct app *app, const struct request *req, struct buf *b,
                     struct err *err)
{
    int64_t least = app->config->lease_min_s;
    const char *lease = request_query(req, "lease");
    const char *boot = request_query(req, "boot");
    int64_t seconds;

    if (lease && parse_int64(lease, least, LEASE_MAX_S, &seconds, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST, "lease is not between %lld and %d seconds",
                       (long long)least, LEASE_MAX_S);
    if (lease)
        (void)buf_addf(b, ",\"lease\":%lld", (long long)seconds);
    if (boot && strlen(boot) > NAME_MAX_BYTES)
        return err_set(err, ERR_BAD_REQUEST, "boot is longer than %d bytes", NAME_MAX_BYTES);
    if (boot) {
        (void)buf_adds(b, ",\"boot\":");
        (void)jsn_add_string(b, boot, strlen(boot));
    }
    return 0;
}

/* One request in the list that api.claim_jobs takes. */
static int write_request(const struct app *app, const struct request *req, const char *token,
                         struct buf *b, struct err *err)
{
    size_t queues;

    (void)buf_addf(b, "[{\"token\":\"%s\",\"queues\":[", token);
    if (add_queues(req, b, &queues, err) < 0)
        return -1;
    if (queues == 0)
        return err_set(err, ERR_BAD_REQUEST, "no queue was asked for");
    if (!req->agent_name || !*req->agent_name)
        return err_set(err, ERR_UNAUTHORIZED, "the cookie agent_name is missing");
    (void)buf_adds(b, "],\"agent\":");
    (void)jsn_add_string(b, req->agent_name, strlen(req->agent_name));
    if (add_lease(app, req, b, err) < 0)
        return -1;
    (void)buf_adds(b, "}]");
    return buf_failed(b) ? err_set(err, ERR_TOO_LARGE, "too many queues") : 0;
}

static const char *queue_of(const struct request *req, size_t i)
{
    return strcmp(req->query[i].name, "queue") == 0 ? req->query[i].value : NULL;
}

/* Agents that ask for the same queues, in whatever order, are one group: of what there is, each job
 * is for one of them. */
static uint64_t group_of(const struct request *req)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < req->query_count; i++)
        if (queue_of(req, i))
            sum += wake_key(WAKE_QUEUE, queue_of(req, i));
    return sum | 1; /* 0 would be no group */
}

/* Until there is work in one of the queues, or the agent is to look at itself. */
static int wait_for_work(const struct request *req, const struct claim *claim, int64_t wait_s,
                         struct response *res, struct err *err)
{
    if (response_wait_for(res, WAKE_AGENT, req->agent_name, false, err) < 0)
        return -1;
    for (size_t i = 0; i < req->query_count; i++) {
        const char *queue = queue_of(req, i);

        if (queue && (response_wait_for(res, WAKE_QUEUE, queue, true, err) < 0 ||
                      response_wait_for(res, WAKE_LIMITS, queue, false, err) < 0))
            return -1;
    }
    response_wait(res, wait_s);
    res->wait.group = group_of(req);
    res->wait.pass = claim->others;
    (void)snprintf(res->wait.memo, sizeof(res->wait.memo), "%s", claim->seen);
    return 0;
}

/* Nobody gets the answer: another agent may have the job, after delay_s.  If that fails, it comes
 * back by itself since nobody asks about it. */
static void give_back(struct app *app, const struct request *req, const struct claim *claim,
                      const char *token, int64_t delay_s)
{
    struct err err = ERR_INIT;

    if (claim_store_return(app->db, claim->job, token, delay_s, &err) < 0)
        log_warning("claim", "job=%s text=\"could not be given back\" error=%s", claim->job,
                    LOG_VALUE(err.text));
    wake_tell(app->waker, WAKE_JOB, claim->job);
    for (size_t i = 0; i < req->query_count && delay_s == 0; i++)
        if (queue_of(req, i))
            wake_tell(app->waker, WAKE_QUEUE, queue_of(req, i));
}

/* One look; what was found is in *ret_claim, and its body in res. */
static int look(struct app *app, const struct request *req, const struct claim_request *request,
                int64_t wait_s, struct claim *ret_claim, struct err *err)
{
    if (wait_s)
        return claim_store_wait(app->db, request, req->wait_memo, ret_claim, err);
    return claim_store_take(app->db, request, ret_claim, err);
}

static int answer(struct app *app, const struct request *req, const struct claim *claim,
                  const char *token, struct response *res)
{
    if (request_gone(req)) {
        give_back(app, req, claim, token, 0);
        return response_none(res);
    }
    wake_tell(app->waker, WAKE_JOB, claim->job);
    res->content_type = "application/json";
    return 0;
}

/* GET /v1/job */
int job_claim(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    AUTO(buf) struct buf list = BUF_INIT(CLAIM_TEXT_MAX);
    struct claim claim = {.body = &res->body, .secrets = BUF_INIT(SECRETS_MAX)};
    char token[UUID_TEXT_SIZE];
    int64_t wait_s;
    int rc = -1;

    if (uuid_make(clock_us(app->clock), token, err) < 0 || request_wait(req, &wait_s, err) < 0 ||
        write_request(app, req, token, &list, err) < 0)
        return -1;
    if (wait_s && req->wait_over && req->wait_memo[0]) /* it has waited long enough */
        return response_none(res);
    rc = look(app, req, &(struct claim_request){buf_text(&list), token}, wait_s, &claim, err);
    if (rc == 0 && claim.secrets.len > 0)
        rc = claim_open_secrets(app->seal, &claim.secrets, &res->body, err);
    buf_done(&claim.secrets);
    if (rc < 0) {
        if (claim.found)
            give_back(app, req, &claim, token, FAILED_AGAIN_S);
        return -1;
    }
    if (claim.found)
        return answer(app, req, &claim, token, res);
    if (wait_s && !claim.changed && !req->wait_over)
        return wait_for_work(req, &claim, wait_s, res, err);
    return response_none(res);
}
