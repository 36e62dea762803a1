/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests and answers over real sockets: framing, bodies, errors, pipelines. */
#include "raw.h"
#include "stage.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

static int echo(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    (void)app;
    (void)err;
    return response_text(res, json_object_to_json_string_ext(req->json, JSON_C_TO_STRING_PLAIN));
}

static int show(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    (void)app;
    (void)err;
    res->content_type = "text/plain";
    (void)buf_addf(&res->body, "%s agent=%s", req->id, req->agent_name ? req->agent_name : "-");
    for (size_t i = 0; i < req->query_count; i++)
        (void)buf_addf(&res->body, " %s=%s", req->query[i].name, req->query[i].value);
    return 0;
}

static int wait_here(struct app *app, const struct request *req, struct response *res,
                     struct err *err)
{
    latch_pass(&latch);
    return say_hello(app, req, res, err);
}

static int go_wrong(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    static const struct {
        const char *name;
        enum err_code code;
    } ways[] = {{"gone", ERR_GONE}, {"internal", ERR_INTERNAL}, {"down", ERR_UNAVAILABLE}};

    (void)app;
    (void)buf_adds(&res->error_detail, "{\"why\":1}");
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(request_param(req, "how"), ways[i].name) == 0)
            return err_set(err, ways[i].code, "the text \"inside\"");
    return err_set(err, ERR_NOT_FOUND, "no such way");
}

static const struct schema_field fields[] = {{.name = "n", .type = SCHEMA_INT, .required = true},
                                             {.type = SCHEMA_END}};
static const struct schema schema = {.fields = fields};

static const struct route table[] = {
    {"GET", "/hello", MAY_PUBLIC, say_hello, LANE_LOOP, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"GET", "/work", MAY_PUBLIC, say_hello, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"GET", "/show", MAY_PUBLIC, show, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"GET", "/wait", MAY_PUBLIC, wait_here, LANE_FAST, BODY_NONE, 0, NULL, NULL, true, NULL},
    {"POST", "/wait", MAY_PUBLIC, wait_here, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"GET", "/agents", MAY_AGENT, say_hello, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
    {"POST", "/echo", MAY_USE, echo, LANE_FAST, BODY_JSON, 100, &schema, NULL, false, NULL},
    {"GET", "/wrong/{how}", MAY_PUBLIC, go_wrong, LANE_SLOW, BODY_NONE, 0, NULL, NULL, false, NULL},
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

static void test_loop_and_workers_answer(void **state)
{
    stage_answers(*state, GET("/hello"), 200, "hello");
    stage_answers(*state, GET("/work"), 200, "hello");
    stage_answers(*state, GET("/work/"), 200, "hello");
    stage_answers(*state, GET("//work"), 404, "message");
    stage_answers(*state, GET("/%ff"), 404, "message");
    stage_answers(*state, GET("/agents"), 403, "agent");
    stage_answers(*state, GET("/show?a=%00"), 400, "message");
}

static void test_many_parameters_are_served(void **state)
{
    struct stage *s = *state;
    char request[12000] = "GET /show?";
    size_t len = strlen(request);

    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(request + len, sizeof(request) - len, "queue=queue-%d&", i);
    (void)snprintf(request + len, sizeof(request) - len, " HTTP/1.1\r\n" HOST "\r\n");
    stage_answers(s, request, 200, "queue=queue-199");
}

static void test_request_ids_and_cookies_arrive(void **state)
{
    struct raw_reply reply;
    struct stage *s = *state;

    assert_int_equal(raw_ask(s->port,
                             "GET /show HTTP/1.1\r\n" HOST "X-Request-Id: mine-1.2\r\n"
                             "Cookie: x=y; agent_name=\"a b\"\r\n\r\n",
                             &reply),
                     200);
    assert_string_equal(reply.body, "mine-1.2 agent=a b");
    assert_non_null(strstr(reply.head, "X-Request-Id: mine-1.2\r\n"));
    raw_reply_done(&reply);
    assert_int_equal(
        raw_ask(s->port, "GET /show HTTP/1.1\r\n" HOST "X-Request-Id: a b\r\n\r\n", &reply), 200);
    assert_null(strstr(reply.head, "a b"));
    raw_reply_done(&reply);
}

static void test_bodies_are_judged_in_order(void **state)
{
    stage_answers(*state,
                  "POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                  "Content-Length: 9\r\n\r\n{\"n\":\"7\"}",
                  200, "{\"n\":7}");
    stage_answers(*state,
                  "POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"n\"\r\n3\r\n:1}\r\n0\r\n\r\n",
                  200, "{\"n\":1}");
    stage_answers(*state,
                  "POST /echo HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\n"
                  "Content-Length: 7\r\n\r\n{\"n\":1}",
                  415, "message");
    stage_answers(*state, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 422,
                  "\"detail\":{\"json\":{\"n\":[");
    stage_answers(*state,
                  "POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                  "Content-Length: 5\r\n\r\n{\"n\":",
                  400, "message");
}

static void test_errors_say_what_may_be_said(void **state)
{
    struct raw_reply reply;
    struct stage *s = *state;

    stage_answers(s, GET("/wrong/gone"), 410, "the text \\\"inside\\\"");
    stage_answers(s, GET("/wrong/gone"), 410, "\"detail\":{\"why\":1}");
    assert_int_equal(raw_ask(s->port, GET("/wrong/internal"), &reply), 500);
    assert_null(strstr(reply.body, "inside"));
    raw_reply_done(&reply);
    assert_int_equal(raw_ask(s->port, GET("/wrong/down"), &reply), 503);
    assert_null(strstr(reply.body, "inside"));
    assert_non_null(strstr(reply.head, "Retry-After: "));
    raw_reply_done(&reply);
}

static void test_smuggled_lengths_are_refused_and_the_connection_closed(void **state)
{
    static const char *const bad[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\nGET /hello HTTP/1.1\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "GET /hello HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    };
    struct stage *s = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct raw_reply reply;
        int fd = raw_connect(s->port);

        raw_text(fd, bad[i]);
        raw_read(fd, &reply);
        assert_int_equal(reply.status, 400);
        raw_reply_done(&reply);
        assert_true(raw_closed(fd, 10000));
        (void)close(fd);
    }
}

static void test_a_body_over_the_limit_is_refused_before_it_is_sent(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;
    int fd = raw_connect(s->port);

    raw_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                 "Content-Length: 100000000\r\n\r\n");
    raw_read(fd, &reply);
    assert_int_equal(reply.status, 413);
    raw_reply_done(&reply);
    assert_true(raw_closed(fd, 10000));
    (void)close(fd);
}

static void test_the_answer_survives_a_client_that_sends_first(void **state)
{
    struct stage *s = *state;
    size_t len = 20 << 20;
    char *body = calloc(1, len);
    struct raw_reply reply;
    int fd = raw_connect(s->port);

    assert_non_null(body);
    raw_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                 "Content-Length: 20971520\r\n\r\n");
    raw_send(fd, body, len);
    raw_read(fd, &reply);
    assert_int_equal(reply.status, 413);
    raw_reply_done(&reply);
    (void)close(fd);
    free(body);
}

static void test_an_endless_chunked_body_is_cut_off(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;
    char chunk[8 + 4096 + 2];
    int fd = raw_connect(s->port);

    memset(chunk, 'x', sizeof(chunk));
    memcpy(chunk, "001000\r\n", 8);
    memcpy(chunk + 8 + 4096, "\r\n", 2);
    raw_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 1000; i++)
        raw_send(fd, chunk, sizeof(chunk));
    raw_read(fd, &reply);
    assert_int_equal(reply.status, 413);
    raw_reply_done(&reply);
    (void)close(fd);
}

static void test_pipelined_requests_are_all_answered(void **state)
{
    struct stage *s = *state;
    int fd = raw_connect(s->port);

    for (int i = 0; i < 50; i++)
        raw_text(fd, i % 2 ? GET("/hello") : GET("/work"));
    for (int i = 0; i < 50; i++) {
        struct raw_reply reply;

        raw_read(fd, &reply);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body, "hello");
        raw_reply_done(&reply);
    }
    (void)close(fd);
}

static void test_a_refused_body_leaves_the_connection_usable(void **state)
{
    struct stage *s = *state;
    int fd = raw_connect(s->port);

    for (int i = 0; i < 3; i++) {
        struct raw_reply reply;

        raw_text(fd, "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789");
        raw_read(fd, &reply);
        assert_int_equal(reply.status, 404);
        raw_reply_done(&reply);
    }
    (void)close(fd);
}

static void test_head_and_options(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;
    int fd = raw_connect(s->port);

    raw_text(fd, "HEAD /work HTTP/1.1\r\n" HOST "\r\n");
    raw_read_head(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.head, "Content-Length: 5\r\n"));
    raw_reply_done(&reply);
    raw_text(fd, "HEAD /wait HTTP/1.1\r\n" HOST "\r\n"); /* would stand still if it ran */
    raw_read_head(fd, &reply);
    assert_int_equal(reply.status, 204);
    raw_reply_done(&reply);
    raw_text(fd, "OPTIONS /wait HTTP/1.1\r\n" HOST "\r\n");
    raw_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.len, 0);
    assert_non_null(strstr(reply.head, "Allow: HEAD, GET, POST, OPTIONS\r\n"));
    raw_reply_done(&reply);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_loop_and_workers_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_parameters_are_served, setup, teardown),
        cmocka_unit_test_setup_teardown(test_request_ids_and_cookies_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bodies_are_judged_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors_say_what_may_be_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_smuggled_lengths_are_refused_and_the_connection_closed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_body_over_the_limit_is_refused_before_it_is_sent,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_answer_survives_a_client_that_sends_first, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_endless_chunked_body_is_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipelined_requests_are_all_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refused_body_leaves_the_connection_usable, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_head_and_options, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
