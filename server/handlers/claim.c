/* SPDX-License-Identifier: GPL-3.0-or-later
 * GET /v1/job: agents ask for work.  Most of the time there is none, and they are many: those who
 * ask at a moment are one call of the database. */
#include "server/handlers/claim.h"

#include "common/log.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/wake.h"

#include <stdio.h>
#include <string.h>

/* A job whose answer cannot be made would fail each agent in turn. */
#define FAILED_AGAIN_S 60

/* Agents that ask for the same queues, in whatever order, are one group: of what there is, each job
 * is for one of them. */
static uint64_t group_of(const struct request *req)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < req->query_count; i++)
        if (claim_queue(req, i))
            sum += wake_share(WAKE_QUEUE, claim_queue(req, i));
    return sum | 1; /* 0 would be no group */
}

/* Until there is work in one of the queues, or the agent is to look at itself. */
static int wait_for_work(const struct request *req, const struct claim *claim, int64_t wait_s,
                         struct response *res, struct err *err)
{
    if (response_wait_for(res, WAKE_AGENT, req->agent_name, false, err) < 0)
        return -1;
    for (size_t i = 0; i < req->query_count; i++) {
        const char *queue = claim_queue(req, i);

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
                      int64_t delay_s)
{
    struct err err = ERR_INIT;

    if (claim_store_return(app->db, claim->job, claim->token, delay_s, &err) < 0)
        log_warning("claim", "job=%s text=\"could not be given back\" error=%s", claim->job,
                    LOG_VALUE(err.text));
    wake_tell(app->waker, WAKE_JOB, claim->job);
    for (size_t i = 0; i < req->query_count && delay_s == 0; i++)
        if (claim_queue(req, i))
            wake_tell(app->waker, WAKE_QUEUE, claim_queue(req, i));
}

static int hand_out(struct app *app, const struct request *req, struct claim *claim,
                    struct response *res, struct err *err)
{
    if (!err->code && claim->secrets.len > 0)
        (void)claim_open_secrets(app->seal, &claim->secrets, &res->body, err);
    if (err->code) {
        give_back(app, req, claim, FAILED_AGAIN_S);
        return -1;
    }
    if (request_gone(req)) {
        give_back(app, req, claim, 0);
        return response_none(res);
    }
    wake_tell(app->waker, WAKE_JOB, claim->job);
    res->content_type = "application/json";
    res->wait.none = !claim->others;
    return 0;
}

static int answer(struct app *app, const struct claim_asker *asker, struct claim *claim)
{
    const struct request *req = asker->turn->req;
    struct response *res = asker->turn->res;
    struct err *err = asker->turn->err;

    if (claim->found)
        return hand_out(app, req, claim, res, err);
    if (claim->busy)
        return err_set(err, ERR_UNAVAILABLE, "agent is being changed");
    if (asker->wait_s && !claim->changed && !req->wait_over)
        return wait_for_work(req, claim, asker->wait_s, res, err);
    return response_none(res);
}

/* The answers, each by itself. */
static void end_round(struct app *app, struct claim_round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        struct claim *claim = &round->claims[i];
        struct turn *turn = round->askers[i].turn;

        if (turn->err->code && !claim->found)
            continue;
        turn->slow = claim->slow;
        if (claim->busy && !turn->alone)
            turn->end = TURN_ALONE;
        else
            (void)answer(app, &round->askers[i], claim);
    }
}

void job_claim(struct app *app, struct turn *turns, size_t count)
{
    struct claim_round round;

    claim_round_init(&round);
    for (size_t i = 0; i < count; i++)
        claim_round_add(&round, app, &turns[i]);
    if (round.count > 0) {
        claim_store_take(app->db, &(struct claim_batch){.lists = round.lists,
                                                        .list_count = round.list_count,
                                                        .claims = round.claims,
                                                        .count = round.count,
                                                        .patient = turns[0].alone});
        end_round(app, &round);
    }
    claim_round_done(&round);
}
