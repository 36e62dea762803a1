/* SPDX-License-Identifier: GPL-3.0-or-later
 * Connections over real sockets: queues, clients that leave or say nothing, draining. */
#include "raw.h"
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Where the handler of /wait stands still. */
static struct latch latch = LATCH_INIT;

static int say_hello(struct app *app, const struct request *req, struct response *res,
                     struct err *err)
{
    (void)app;
    (void)req;
    (void)err;
    return response_text(res, "hello");
}

static int wait_here(struct app *app, const struct request *req, struct response *res,
                     struct err *err)
{
    latch_pass(&latch);
    return say_hello(app, req, res, err);
}

static const struct route table[] = {
    {"GET", "/hello", MAY_PUBLIC, say_hello, LANE_LOOP, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"GET", "/work", MAY_PUBLIC, say_hello, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"GET", "/slow", MAY_PUBLIC, say_hello, LANE_SLOW, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"GET", "/wait", MAY_PUBLIC, wait_here, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"POST", "/wait", MAY_PUBLIC, wait_here, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"POST", "/json", MAY_PUBLIC, say_hello, LANE_FAST, BODY_JSON, 100, NULL, NULL, false, NULL},
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

static void test_a_full_queue_answers_503(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;
    int fds[3];

    for (int i = 0; i < 3; i++) { /* one at work, two waiting: all there is room for */
        fds[i] = raw_connect(s->port);
        raw_text(fds[i], GET("/wait"));
        if (i == 0)
            latch_until_waiting(&latch, 1);
    }
    stage_until(s, METRIC_POOL_WAITING, 2);
    assert_int_equal(raw_ask(s->port, GET("/work"), &reply), 503);
    assert_non_null(strstr(reply.head, "Retry-After: "));
    raw_reply_done(&reply);
    assert_int_equal(metrics_get(s->metrics, METRIC_REFUSED), 1);
    stage_answers(s, GET("/hello"), 200, "hello");
    stage_answers(s, GET("/slow"), 200, "hello");
    latch_set(&latch, true);
    for (int i = 0; i < 3; i++) {
        raw_read(fds[i], &reply);
        assert_int_equal(reply.status, 200);
        raw_reply_done(&reply);
        (void)close(fds[i]);
    }
}

static void test_a_client_that_left_is_not_served_a_read(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;
    int first = raw_connect(s->port);
    int second = raw_connect(s->port);

    raw_text(first, GET("/wait"));
    latch_until_waiting(&latch, 1);
    raw_text(second, GET("/wait"));
    stage_until(s, METRIC_POOL_WAITING, 1);
    (void)close(second);
    stage_answers(s, GET("/hello"), 200, "hello"); /* the loop has seen the end by then */
    latch_set(&latch, true);
    raw_read(first, &reply);
    assert_int_equal(reply.status, 200);
    raw_reply_done(&reply);
    stage_until(s, METRIC_GONE, 1);
    assert_int_equal(latch.passed, 1);
    (void)close(first);
}

static void test_a_write_is_done_although_the_client_left(void **state)
{
    struct stage *s = *state;
    int first = raw_connect(s->port);
    int second = raw_connect(s->port);

    raw_text(first, GET("/wait"));
    latch_until_waiting(&latch, 1);
    raw_text(second, "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
    stage_until(s, METRIC_POOL_WAITING, 1);
    (void)close(second);
    latch_set(&latch, true);
    latch_until_passed(&latch, 2);
    (void)close(first);
}

static void test_draining_ends_what_is_under_way_and_nothing_more(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;
    int busy = raw_connect(s->port);
    int idle = raw_connect(s->port);

    raw_text(idle, GET("/hello"));
    raw_read(idle, &reply);
    raw_reply_done(&reply);
    raw_text(busy, GET("/wait"));
    latch_until_waiting(&latch, 1);
    loop_drain(s->loop, 20000);
    assert_true(raw_closed(idle, 10000));
    assert_false(loop_ended(s->loop));
    latch_set(&latch, true);
    raw_read(busy, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.head, "Connection: close"));
    raw_reply_done(&reply);
    assert_true(raw_closed(busy, 10000));
    (void)close(busy);
    (void)close(idle);
}

static void test_hundreds_of_idle_clients_do_not_disturb(void **state)
{
    enum { IDLE = 400 };
    struct stage *s = *state;
    int fds[IDLE];

    for (int i = 0; i < IDLE; i++)
        fds[i] = raw_connect(s->port);
    for (int i = 0; i < 20; i++)
        stage_answers(s, GET("/work"), 200, "hello");
    for (int i = 0; i < IDLE; i++)
        (void)close(fds[i]);
    stage_until(s, METRIC_CONNECTIONS, 0);
}

static void test_headers_that_cannot_be_read_leave_nothing_behind(void **state)
{
    static const char *const bad[] = {
        "GET /work HTTP/1.1\r\nno colon here\r\n\r\n",
        "GET /work HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
        "GET /work HTTP/1.1\r\n\r\n", /* no Host */
        "GET /work HTTP/9.9\r\nHost: x\r\n\r\n",
        "\1\2\3\r\n\r\n",
        "GET  /work  HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /json HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    };
    static char large[160000]; /* more than a connection has memory for */
    struct stage *s = *state;

    memset(large, 'a', sizeof(large) - 1);
    for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = raw_connect(s->port);
        bool last = i == sizeof(bad) / sizeof(bad[0]);

        if (last)
            raw_text(fd, "GET /work HTTP/1.1\r\nHost: x\r\nX-Large: ");
        raw_text(fd, last ? large : bad[i]);
        assert_true(raw_readable(fd, 10000));
        (void)close(fd);
    }
    stage_until(s, METRIC_CONNECTIONS, 0);
    assert_int_equal(metrics_get(s->metrics, METRIC_IN_FLIGHT), 0);
    stage_answers(s, GET("/hello"), 200, "hello");
}

static int setup_hasty(void **state)
{
    latch_set(&latch, true);
    *state = stage_start(table, sizeof(table) / sizeof(table[0]), 2, 100);
    return 0;
}

static void test_half_a_request_is_given_up(void **state)
{
    static const char *const halves[] = {
        "GET /wor",
        "GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 50\r\n\r\n{\"n\":",
        "",
    };
    struct stage *s = *state;

    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        struct raw_reply reply;
        int fd = raw_connect(s->port);

        raw_text(fd, halves[i]);
        raw_read(fd, &reply);
        assert_int_equal(reply.status, 408);
        raw_reply_done(&reply);
        assert_true(raw_closed(fd, 10000));
        (void)close(fd);
    }
    stage_until(s, METRIC_CONNECTIONS, 0);
    assert_int_equal(metrics_get(s->metrics, METRIC_IN_FLIGHT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_full_queue_answers_503, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_left_is_not_served_a_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_write_is_done_although_the_client_left, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_draining_ends_what_is_under_way_and_nothing_more,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_hundreds_of_idle_clients_do_not_disturb, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_headers_that_cannot_be_read_leave_nothing_behind,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_a_request_is_given_up, setup_hasty, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
