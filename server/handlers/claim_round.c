/* SPDX-License-Identifier: GPL-3.0-or-later
 * From the requests of agents to one call of the database. */
#include "server/handlers/claim.h"

#include "common/clock.h"
#include "common/parse.h"
#include "server/app.h"
#include "server/config.h"
#include "server/handlers/handlers.h"
#include "server/wake.h"

#include <stdio.h>
#include <string.h>

#define SECRETS_MAX ((size_t)16 << 20) /* SQL gives 4 MiB of them, in base64 */
#define LEASE_MAX_S 3600

const char *claim_queue(const struct request *req, size_t i)
{
    return strcmp(req->query[i].name, "queue") == 0 ? req->query[i].value : NULL;
}

void claim_round_init(struct claim_round *round)
{
    round->count = 0;
    round->list_count = 0;
    round->name_count = 0;
    round->name_bytes = 0;
}

void claim_round_done(struct claim_round *round)
{
    for (size_t i = 0; i < round->count; i++)
        buf_done(&round->claims[i].secrets);
}

/* lease=SECONDS and boot=ID: the agent takes part in leases and tells when it was started anew. */
static int read_lease(const struct app *app, const struct request *req, struct claim *claim,
                      struct err *err)
{
    int64_t least = app->config->lease_min_s;
    const char *lease = request_query(req, "lease");

    claim->boot = request_query(req, "boot");
    if (lease && parse_int64(lease, least, LEASE_MAX_S, &claim->lease_s, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST, "lease is not between %lld and %d seconds",
                       (long long)least, LEASE_MAX_S);
    if (claim->boot && strlen(claim->boot) > NAME_MAX_BYTES)
        return err_set(err, ERR_BAD_REQUEST, "boot is longer than %d bytes", NAME_MAX_BYTES);
    return 0;
}

static int check_queues(const struct request *req, struct err *err)
{
    size_t count = 0;

    for (size_t i = 0; i < req->query_count; i++) {
        const char *queue = claim_queue(req, i);

        if (queue && strlen(queue) > NAME_MAX_BYTES)
            return err_set(err, ERR_INVALID, "a queue's name is longer than %d bytes",
                           NAME_MAX_BYTES);
        count += queue != NULL;
    }
    return count ? 0 : err_set(err, ERR_BAD_REQUEST, "no queue was asked for");
}

static int read_claim(const struct app *app, const struct request *req, int64_t *ret_wait_s,
                      struct claim *claim, struct err *err)
{
    if (request_wait(req, ret_wait_s, err) < 0 || check_queues(req, err) < 0)
        return -1;
    if (!req->agent_name || !*req->agent_name)
        return err_set(err, ERR_UNAUTHORIZED, "the cookie agent_name is missing");
    claim->agent = req->agent_name;
    claim->waits = *ret_wait_s > 0;
    (void)snprintf(claim->seen, sizeof(claim->seen), "%s", req->wait_memo);
    if (read_lease(app, req, claim, err) < 0)
        return -1;
    return uuid_make(clock_us(app->clock), claim->token, err);
}

/* An agent is served once in a round. */
static bool is_in(const struct claim_round *round, const char *agent, uint64_t key)
{
    for (size_t i = 0; i < round->count; i++)
        if (round->askers[i].agent == key && strcmp(round->claims[i].agent, agent) == 0)
            return true;
    return false;
}

static bool same_list(const struct claim_list *a, const struct claim_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->queues[i], b->queues[i]) != 0)
            return false;
    return true;
}

/* Returns the position of the list, which is added if it is new.  key: for its names in their
 * order. */
static size_t place_list(struct claim_round *round, const struct claim_list *list, uint64_t key)
{
    for (size_t i = 0; i < round->list_count; i++)
        if (round->list_keys[i] == key && same_list(&round->lists[i], list))
            return i;
    round->list_keys[round->list_count] = key;
    round->lists[round->list_count] = *list;
    round->name_count += list->count;
    return round->list_count++;
}

/* -1: there is no room for this one's queues beside those of others. */
static int add_list(struct claim_round *round, const struct request *req, size_t *ret_list)
{
    struct claim_list list = {.queues = &round->names[round->name_count]};
    uint64_t key = 0;
    size_t bytes = 0;

    for (size_t i = 0; i < req->query_count; i++) {
        const char *queue = claim_queue(req, i);

        if (!queue)
            continue;
        if (round->name_count + list.count == CLAIM_NAMES_MAX)
            return -1;
        round->names[round->name_count + list.count++] = queue;
        key = key * 31 + wake_key(WAKE_QUEUE, queue);
        bytes += strlen(queue);
    }
    if (round->count > 0 && round->name_bytes + bytes > CLAIM_BYTES_MAX)
        return -1;
    round->name_bytes += bytes;
    *ret_list = place_list(round, &list, key);
    return 0;
}

void claim_round_add(struct claim_round *round, const struct app *app, struct turn *turn)
{
    const struct request *req = turn->req;
    struct claim *claim = &round->claims[round->count];
    struct claim_asker *asker = &round->askers[round->count];

    *claim = (struct claim){.body = &turn->res->body, .err = turn->err};
    *asker = (struct claim_asker){.turn = turn};
    if (read_claim(app, req, &asker->wait_s, claim, turn->err) < 0)
        return;
    if (asker->wait_s && req->wait_over && req->wait_memo[0]) { /* it has waited long enough */
        (void)response_none(turn->res);
        return;
    }
    asker->agent = wake_key(WAKE_AGENT, claim->agent);
    if (is_in(round, claim->agent, asker->agent) || add_list(round, req, &claim->list) < 0) {
        turn->end = TURN_AGAIN;
        return;
    }
    buf_init(&claim->secrets, SECRETS_MAX);
    round->count++;
}
