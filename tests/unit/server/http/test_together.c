/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests that are made together: in one call, each with an answer of its own. */
#include "raw.h"
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Where the functions stand still. */
static struct latch latch = LATCH_INIT;

/* Says which turn of how many it was; ?bad is an error of its own. */
static void take_turns(struct app *app, struct turn *turns, size_t count)
{
    (void)app;
    latch_pass(&latch);
    for (size_t i = 0; i < count; i++) {
        if (request_query(turns[i].req, "bad"))
            (void)err_set(turns[i].err, ERR_GONE, "bad turn");
        else
            (void)buf_addf(&turns[i].res->body, "%zu of %zu", i + 1, count);
    }
}

/* Which turn of how many it was, and whether alone, after doing what the query says. */
static void take_odd_turns(struct app *app, struct turn *turns, size_t count)
{
    (void)app;
    latch_pass(&latch);
    for (size_t i = 0; i < count; i++) {
        struct turn *turn = &turns[i];

        turn->slow = !turn->alone && request_query(turn->req, "slow");
        if (count > 1 && request_query(turn->req, "again"))
            turn->end = TURN_AGAIN;
        else if (!turn->alone && request_query(turn->req, "alone"))
            turn->end = TURN_ALONE;
        else
            (void)buf_addf(&turn->res->body, "%zu of %zu%s", i + 1, count,
                           turn->alone ? " alone" : "");
    }
}

static const struct schema_field fields[] = {{.name = "n", .type = SCHEMA_INT, .required = true},
                                             {.type = SCHEMA_END}};
static const struct schema schema = {.fields = fields};

static const struct together_handler turns = {.make = take_turns};
static const struct together_handler odd_turns = {.make = take_odd_turns};

static const struct route table[] = {
    {"GET", "/turns", MAY_PUBLIC, NULL, LANE_RENEW, BODY_NONE, 0, NULL, NULL, false, &turns},
    {"GET", "/turns/too", MAY_PUBLIC, NULL, LANE_RENEW, BODY_NONE, 0, NULL, NULL, false, &turns},
    {"GET", "/odd", MAY_PUBLIC, NULL, LANE_CLAIM, BODY_NONE, 0, NULL, NULL, true, &odd_turns},
    {"POST", "/odd", MAY_PUBLIC, NULL, LANE_LOG, BODY_JSON, 100000, &schema, NULL, false,
     &odd_turns},
};

static int setup(void **state)
{
    latch_set(&latch, false);
    latch.passed = 0;
    *state = stage_start(table, sizeof(table) / sizeof(table[0]), 2, 20000);
    return 0;
}

static int teardown(void **state)
{
    latch_set(&latch, true);
    return stage_stop(*state) ? 0 : -1;
}

static void assert_next(int fd, int status, const char *text)
{
    struct raw_reply reply;

    raw_read(fd, &reply);
    assert_int_equal(reply.status, status);
    if (text)
        assert_non_null(strstr(reply.body, text));
    raw_reply_done(&reply);
    (void)close(fd);
}

static void assert_text(int fd, const char *text)
{
    struct raw_reply reply;

    raw_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, text);
    raw_reply_done(&reply);
    (void)close(fd);
}

static int ask(const struct stage *s, const char *request)
{
    int fd = raw_connect(s->port);

    raw_text(fd, request);
    return fd;
}

static void test_requests_made_together_have_answers_of_their_own(void **state)
{
    struct stage *s = *state;
    int first = ask(s, GET("/turns")), good, bad, late;

    latch_until_waiting(&latch, 1);
    good = ask(s, GET("/turns"));
    stage_until(s, METRIC_POOL_WAITING_RENEW, 1);
    bad = ask(s, GET("/turns?bad=1"));
    stage_until(s, METRIC_POOL_WAITING_RENEW, 2);
    late = ask(s, GET("/turns"));
    assert_next(late, 503, NULL); /* the queue is full */
    latch_set(&latch, true);
    assert_next(first, 200, "1 of 1");
    assert_next(good, 200, "1 of 2");
    assert_next(bad, 410, "bad turn");
    assert_int_equal(metrics_get(s->metrics, METRIC_BATCHES_RENEW), 2);
}

static void test_only_requests_of_one_route_are_made_together(void **state)
{
    struct stage *s = *state;
    int first = ask(s, GET("/turns")), other, same;

    latch_until_waiting(&latch, 1);
    other = ask(s, GET("/turns/too"));
    stage_until(s, METRIC_POOL_WAITING_RENEW, 1);
    same = ask(s, GET("/turns"));
    stage_until(s, METRIC_POOL_WAITING_RENEW, 2);
    latch_set(&latch, true);
    assert_next(first, 200, "1 of 1");
    assert_next(other, 200, "1 of 1");
    assert_next(same, 200, "1 of 1");
}

static void test_a_turn_may_come_later_or_alone(void **state)
{
    struct stage *s = *state;
    int first = ask(s, GET("/odd")), later, alone;

    latch_until_waiting(&latch, 1);
    later = ask(s, GET("/odd?again=1"));
    stage_until(s, METRIC_POOL_WAITING_CLAIM, 1);
    alone = ask(s, GET("/odd?alone=1"));
    stage_until(s, METRIC_POOL_WAITING_CLAIM, 2);
    latch_set(&latch, true);
    assert_text(first, "1 of 1");
    assert_text(later, "1 of 1");
    assert_text(alone, "1 of 1 alone");
    assert_int_equal(metrics_get(s->metrics, METRIC_BATCHES_CLAIM), 3);
    assert_int_equal(metrics_get(s->metrics, METRIC_BATCHED_CLAIM), 4);
}

static void test_what_was_slow_is_made_alone_until_it_is_quick(void **state)
{
    struct stage *s = *state;

    latch_set(&latch, true);
    for (int i = 0; i < 4; i++)
        assert_text(ask(s, GET("/odd?slow=1")), i % 2 ? "1 of 1 alone" : "1 of 1");
    assert_text(ask(s, GET("/odd?quick=1")), "1 of 1");
    assert_int_equal(metrics_get(s->metrics, METRIC_BATCHES_CLAIM), 3);
}

static void post_odd(const struct stage *s, const char *query, size_t blanks, const char *text)
{
    struct buf request = BUF_INIT(200000);

    (void)buf_addf(&request,
                   "POST /odd%s HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n{\"n\":1%*s}",
                   query, blanks + 7, (int)blanks, "");
    assert_text(ask(s, buf_text(&request)), text);
    buf_done(&request);
}

static void test_a_body_is_read_once_and_a_large_one_takes_its_turn_alone(void **state)
{
    struct stage *s = *state;

    latch_set(&latch, true);
    post_odd(s, "", 0, "1 of 1");
    post_odd(s, "?alone=1", 0, "1 of 1 alone");
    assert_int_equal(metrics_get(s->metrics, METRIC_BATCHED_LOG), 2);
    post_odd(s, "", 70000, "1 of 1");
    assert_int_equal(metrics_get(s->metrics, METRIC_BATCHED_LOG), 2);
}

static void test_head_takes_no_turn(void **state)
{
    struct stage *s = *state;

    stage_answers(s, "HEAD /odd HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 204, "");
    assert_int_equal(latch.passed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests_made_together_have_answers_of_their_own,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_turn_may_come_later_or_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_slow_is_made_alone_until_it_is_quick, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_a_body_is_read_once_and_a_large_one_takes_its_turn_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_takes_no_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_requests_of_one_route_are_made_together, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
