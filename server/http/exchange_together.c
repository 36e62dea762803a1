/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests that are made together: of one route, each with its own answer.  What becomes of one
 * does not matter to the others. */
#include "server/http/exchange.h"

#include "server/metrics.h"

/* What waits at a moment, and what the function is given of it. */
struct round {
    const struct route *route;
    uint64_t mark; /* taken before the look */
    struct exchange *exchanges[WORK_TOGETHER_MAX];
    struct turn turns[WORK_TOGETHER_MAX];
    struct err errs[WORK_TOGETHER_MAX];
    size_t count;
};

static void add(struct round *round, struct exchange *ex)
{
    struct err *err = &round->errs[round->count];

    *err = (struct err)ERR_INIT;
    exchange_begin_look(ex);
    round->turns[round->count] = (struct turn){
        .req = &ex->req, .prepared = ex->prepared, .res = &ex->res, .err = err, .alone = ex->alone};
    round->exchanges[round->count++] = ex;
}

/* The requests of one route at the beginning of the list, but for those that need no look.  Returns
 * where it goes on. */
static struct work *collect(struct round *round, struct work *list, struct app *app)
{
    struct work *next;

    round->route = ((struct exchange *)list)->match.route;
    round->mark = park_mark(((struct exchange *)list)->loop->options.park);
    round->count = 0;
    for (; list && round->count < WORK_TOGETHER_MAX; list = next) {
        struct exchange *ex = (struct exchange *)list;

        if (ex->match.route != round->route)
            break;
        next = list->next; /* it may be somebody else's soon */
        if (exchange_is_wanted(ex, app) && exchange_prepare(ex, app))
            add(round, ex);
        else
            loop_post(ex->loop, ex);
    }
    return list;
}

static bool waits(const struct turn *turn)
{
    return !turn->err->code && turn->res->wait.seconds > 0;
}

static bool may_wait(struct exchange *ex, struct turn *turn)
{
    if (exchange_rides_out(ex, turn->err))
        *turn->err = (struct err)ERR_INIT;
    return waits(turn) && exchange_take_place(ex, turn->err) == 0;
}

/* Once more, for the last time and by itself. */
static void look_again_now(struct exchange *ex, struct turn *turn, struct app *app)
{
    exchange_begin_look(ex);
    turn->alone = true;
    ex->match.route->together->make(app, turn, 1);
}

/* Returns false if the exchange is not ours any more. */
static bool park_or_answer(struct exchange *ex, struct turn *turn, uint64_t mark, struct app *app)
{
    enum park_answer answer;

    if (turn->res->wait.pass)
        exchange_pass(ex);
    answer = exchange_park(ex, mark);
    if (answer == PARK_WAITS || answer == PARK_CHANGED)
        return false;
    if (answer == PARK_GONE)
        exchange_drop(ex, app);
    else
        look_again_now(ex, turn, app);
    return true;
}

/* The same, for what the function said. */
static bool settle(struct exchange *ex, struct turn *turn, uint64_t mark, struct app *app)
{
    ex->alone = turn->slow;
    if (turn->end != TURN_DONE) {
        ex->alone = turn->end == TURN_ALONE;
        exchange_look_again(ex);
        return false;
    }
    if (may_wait(ex, turn) && !park_or_answer(ex, turn, mark, app))
        return false;
    exchange_take_answer(ex, app, turn->err);
    if (ex->err.code || !ex->res.wait.none)
        exchange_pass(ex); /* what it was woken for may not be used up */
    return true;
}

void exchange_run_prepare(struct work *work, struct app *app)
{
    struct exchange *ex = (struct exchange *)work;
    struct work_queue *queue = ex->loop->options.queue;

    if (!exchange_is_wanted(ex, app) || !exchange_prepare(ex, app)) {
        loop_post(ex->loop, ex);
        return;
    }
    work->run = exchange_run_together;
    queue->pass_on(queue, work);
}

void exchange_run_together(struct work *list, struct app *app)
{
    struct round round;

    while (list) {
        list = collect(&round, list, app);
        if (round.count == 0)
            continue;
        round.route->together->make(app, round.turns, round.count);
        for (size_t i = 0; i < round.count; i++)
            if (settle(round.exchanges[i], &round.turns[i], round.mark, app))
                loop_post(round.exchanges[i]->loop, round.exchanges[i]);
    }
}
