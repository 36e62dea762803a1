/* SPDX-License-Identifier: GPL-3.0-or-later
 * What of many requests for work is asked with one call. */
#include "server/handlers/claim.h"

#include "common/clock.h"
#include "server/app.h"
#include "server/config.h"
#include "server/http/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUESTS 16
#define LONG     1000 /* bytes of a name */

struct fixture {
    struct config config;
    struct app app;
    struct claim_round round;
    struct request reqs[REQUESTS];
    struct pair queries[REQUESTS][REQUEST_QUERY_MAX];
    struct response answers[REQUESTS];
    struct err errs[REQUESTS];
    struct turn turns[REQUESTS];
    size_t count;
    char long_name[LONG + 1];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->config.lease_min_s = 30;
    f->app = (struct app){.config = &f->config, .clock = &clock_system};
    memset(f->long_name, 'x', LONG);
    claim_round_init(&f->round);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    claim_round_done(&f->round);
    for (size_t i = 0; i < f->count; i++)
        response_done(&f->answers[i]);
    free(f);
    return 0;
}

/* An agent asks with these parameters: name, value, …, NULL. */
static struct turn *ask(struct fixture *f, const char *agent, ...)
{
    size_t n = f->count++;
    struct request *req = &f->reqs[n];
    const char *name;
    va_list args;

    assert_true(n < REQUESTS);
    *req = (struct request){.agent_name = agent, .query = f->queries[n]};
    va_start(args, agent);
    while ((name = va_arg(args, const char *)))
        f->queries[n][req->query_count++] = (struct pair){name, va_arg(args, const char *)};
    va_end(args);
    response_init(&f->answers[n]);
    f->turns[n] = (struct turn){.req = req, .res = &f->answers[n], .err = &f->errs[n]};
    claim_round_add(&f->round, &f->app, &f->turns[n]);
    return &f->turns[n];
}

/* An agent with that many queues of one name. */
static struct turn *ask_much(struct fixture *f, const char *agent, const char *queue, size_t count)
{
    size_t n = f->count++;

    assert_true(n < REQUESTS && count <= REQUEST_QUERY_MAX);
    for (size_t i = 0; i < count; i++)
        f->queries[n][i] = (struct pair){"queue", queue};
    f->reqs[n] =
        (struct request){.agent_name = agent, .query = f->queries[n], .query_count = count};
    response_init(&f->answers[n]);
    f->turns[n] = (struct turn){.req = &f->reqs[n], .res = &f->answers[n], .err = &f->errs[n]};
    claim_round_add(&f->round, &f->app, &f->turns[n]);
    return &f->turns[n];
}

static void test_what_is_asked_for(void **state)
{
    struct fixture *f = *state;
    const struct claim *claim = &f->round.claims[0];

    (void)ask(f, "a", "queue", "q", "lease", "60", "boot", "b", "wait", "9", NULL);
    (void)ask(f, "b", "queue", "q", "x", "y", "queue", "r", NULL);
    assert_int_equal(f->round.count, 2);
    assert_string_equal(claim->agent, "a");
    assert_string_equal(claim->boot, "b");
    assert_int_equal(claim->lease_s, 60);
    assert_true(claim->waits);
    assert_string_equal(claim->seen, "");
    assert_int_equal(strlen(claim->token), UUID_TEXT_SIZE - 1);
    assert_string_not_equal(claim[0].token, claim[1].token);
    assert_null(claim[1].boot);
    assert_int_equal(claim[1].lease_s, 0);
    assert_false(claim[1].waits);
    assert_int_equal(f->round.lists[claim[1].list].count, 2);
    assert_string_equal(f->round.lists[claim[1].list].queues[1], "r");
}

static void test_the_same_queues_are_one_list(void **state)
{
    struct fixture *f = *state;
    const struct claim *claims = f->round.claims;

    (void)ask(f, "a", "queue", "q", "queue", "r", NULL);
    (void)ask(f, "b", "queue", "r", "queue", "q", NULL);
    (void)ask(f, "c", "queue", "q", "wait", "1", "queue", "r", NULL);
    (void)ask(f, "d", "queue", "q", NULL);
    (void)ask(f, "e", "queue", "r", "queue", "q", NULL);
    assert_int_equal(f->round.count, 5);
    assert_int_equal(f->round.list_count, 3);
    assert_int_equal(claims[2].list, claims[0].list);
    assert_int_equal(claims[4].list, claims[1].list);
    assert_int_not_equal(claims[0].list, claims[1].list);
    assert_int_equal(f->round.name_count, 5);
}

static void test_an_agent_is_served_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "a", "queue", "q", NULL)->end, TURN_DONE);
    assert_int_equal(ask(f, "b", "queue", "q", NULL)->end, TURN_DONE);
    assert_int_equal(ask(f, "a", "queue", "r", NULL)->end, TURN_AGAIN);
    assert_int_equal(f->round.count, 2);
}

static void test_a_mistake_is_one_of_its_request_alone(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "a", NULL)->err->code, ERR_BAD_REQUEST);
    assert_int_equal(ask(f, NULL, "queue", "q", NULL)->err->code, ERR_UNAUTHORIZED);
    assert_int_equal(ask(f, "a", "queue", "q", "lease", "1", NULL)->err->code, ERR_BAD_REQUEST);
    assert_int_equal(ask(f, "a", "queue", "q", "wait", "0", NULL)->err->code, ERR_BAD_REQUEST);
    assert_int_equal(ask(f, "a", "queue", "q", NULL)->err->code, ERR_NONE);
    assert_int_equal(f->round.count, 1);
}

static void test_a_round_has_limits(void **state)
{
    struct fixture *f = *state;
    char agents[REQUESTS][2] = {""};

    for (size_t i = 0; i < 8; i++) {
        agents[i][0] = (char)('a' + i);
        assert_int_equal(
            ask_much(f, agents[i], i % 2 ? "odd" : "even", REQUEST_QUERY_MAX - i / 2)->end,
            TURN_DONE);
    }
    assert_int_equal(ask_much(f, "more", "q", REQUEST_QUERY_MAX)->end, TURN_AGAIN);
    assert_int_equal(ask(f, "little", "queue", "q", NULL)->end, TURN_DONE);
    claim_round_done(&f->round);
    claim_round_init(&f->round);
    assert_int_equal(ask_much(f, "long", f->long_name, REQUEST_QUERY_MAX)->end, TURN_DONE);
    assert_int_equal(ask_much(f, "longer", f->long_name, REQUEST_QUERY_MAX - 1)->end, TURN_AGAIN);
    assert_int_equal(f->round.count, 1);
}

static void test_who_has_waited_long_enough_asks_no_more(void **state)
{
    struct fixture *f = *state;
    struct request req = {.agent_name = "a",
                          .query = (const struct pair[]){{"queue", "q"}, {"wait", "9"}},
                          .query_count = 2,
                          .wait_over = true,
                          .wait_memo = "seen"};
    struct response *res = &f->answers[f->count];
    struct err *err = &f->errs[f->count++];
    struct turn turn = {.req = &req, .res = res, .err = err};

    response_init(res);
    claim_round_add(&f->round, &f->app, &turn);
    assert_int_equal(res->status, 204);
    assert_int_equal(f->round.count, 0);
    req.wait_over = false;
    claim_round_add(&f->round, &f->app, &turn);
    assert_int_equal(f->round.count, 1);
    assert_string_equal(f->round.claims[0].seen, "seen");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_same_queues_are_one_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_agent_is_served_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_mistake_is_one_of_its_request_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_round_has_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_has_waited_long_enough_asks_no_more, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
