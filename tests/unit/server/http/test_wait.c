/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests that wait while the database is away, and what of their time is ours. */
#include "raw.h"
#include "stage.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What a look finds. */
enum { NOTHING, NO_DATABASE, SOMETHING };
static atomic_int found;
/* Where the handler of /block stands still. */
static struct latch latch = LATCH_INIT;

static int look(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    (void)app;
    if (atomic_load(&found) == NO_DATABASE)
        return err_set(err, ERR_UNAVAILABLE, "no database");
    if (atomic_load(&found) == SOMETHING || req->wait_over)
        return response_text(res, req->wait_memo);
    (void)snprintf(res->wait.memo, sizeof(res->wait.memo), "seen before");
    response_wait(res, WAIT_MAX_S);
    return response_wait_for(res, WAKE_JOB, "a", false, err);
}

static void look_together(struct app *app, struct turn *turns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)look(app, turns[i].req, turns[i].res, turns[i].err);
}

static int block(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    (void)app;
    (void)req;
    (void)err;
    latch_pass(&latch);
    return response_ok(res);
}

static const struct route table[] = {
    {"GET", "/look", MAY_PUBLIC, look, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"GET", "/together", MAY_PUBLIC, NULL, LANE_RENEW, BODY_NONE, 0, NULL, NULL, false,
     &(const struct together_handler){.make = look_together}},
    {"GET", "/block", MAY_PUBLIC, block, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
};

static struct metrics_route route_of(size_t route)
{
    return route < 3 ? (struct metrics_route){table[route].method, table[route].path}
                     : (struct metrics_route){"-", "-"};
}

static int setup(void **state)
{
    struct stage *s = stage_start(table, sizeof(table) / sizeof(table[0]), 10, 20000);

    latch_set(&latch, false);
    atomic_store(&found, NOTHING);
    stage_stop_clock(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    latch_set(&latch, true);
    atomic_store(&found, SOMETHING);
    return stage_stop(*state) ? 0 : -1;
}

static int ask(const struct stage *s, const char *path)
{
    char text[128];
    int fd = raw_connect(s->port);

    (void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    raw_text(fd, text);
    return fd;
}

static void assert_answer(int fd, int status, const char *text)
{
    struct raw_reply reply;

    raw_read(fd, &reply);
    assert_int_equal(reply.status, status);
    if (text)
        assert_string_equal(reply.body, text);
    raw_reply_done(&reply);
    (void)close(fd);
}

/* A request that has waited, and finds the database away. */
static int ask_and_lose_database(struct stage *s, const char *path)
{
    int fd = ask(s, path);

    stage_until(s, METRIC_PARKED, 1);
    atomic_store(&found, NO_DATABASE);
    park_wake(s->park, wake_key(WAKE_JOB, "a"));
    stage_until(s, METRIC_DB_ERRORS, 1);
    return fd;
}

static const char *const paths[] = {"/look", "/together"};

static void test_a_short_outage_is_not_seen(void **state)
{
    struct stage *s = *state;

    for (size_t i = 0; i < 2; i++) {
        int fd = ask_and_lose_database(s, paths[i]);

        stage_until(s, METRIC_PARKED, 1);
        atomic_store(&found, SOMETHING);
        stage_advance(s, 1500); /* it looks by itself */
        assert_answer(fd, 200, "seen before");
        metrics_set(s->metrics, METRIC_DB_ERRORS, 0);
        atomic_store(&found, NOTHING);
    }
}

static void test_an_outage_that_lasts_is_told(void **state)
{
    struct stage *s = *state;

    for (size_t i = 0; i < 2; i++) {
        int fd = ask_and_lose_database(s, paths[i]);

        stage_until(s, METRIC_PARKED, 1);
        stage_advance(s, 6000);
        assert_answer(fd, 503, NULL);
        metrics_set(s->metrics, METRIC_DB_ERRORS, 0);
        atomic_store(&found, NOTHING);
    }
}

static void test_who_has_not_waited_is_told_at_once(void **state)
{
    atomic_store(&found, NO_DATABASE);
    assert_answer(ask(*state, "/look"), 503, NULL);
    assert_answer(ask(*state, "/together"), 503, NULL);
}

static double seconds_of(const struct stage *s, const char *path)
{
    struct buf text = BUF_INIT(1 << 20);
    char name[128];
    const char *sum;
    double seconds;

    metrics_write(s->metrics, route_of, &text);
    (void)snprintf(name, sizeof(name), "_sum{method=\"GET\",route=\"%s\"} ", path);
    sum = strstr(buf_text(&text), name);
    assert_non_null(sum);
    seconds = strtod(sum + strlen(name), NULL);
    buf_done(&text);
    return seconds;
}

static void test_the_time_a_client_wants_to_wait_is_no_latency(void **state)
{
    struct stage *s = *state;
    int late = ask(s, "/look"), blocked;

    stage_until(s, METRIC_PARKED, 1);
    blocked = ask(s, "/block");
    latch_until_waiting(&latch, 1);
    stage_advance(s, 60000); /* it looks again, and there is no worker */
    stage_until(s, METRIC_POOL_WAITING, 1);
    stage_advance(s, 21000); /* for too long */
    latch_set(&latch, true);
    assert_answer(blocked, 200, "OK");
    assert_answer(late, 503, NULL);
    assert_int_equal((int)seconds_of(s, "/look"), 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_short_outage_is_not_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_outage_that_lasts_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_has_not_waited_is_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_time_a_client_wants_to_wait_is_no_latency, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
