/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/multi.h"

#include "tests/unit/lib/canned.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK_HELLO    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
#define DEADLINE_MS 10000

struct answer {
    int calls;
    int status;
    enum err_code code;
};

static void on_reply(void *arg, struct fetch_reply *reply, const struct err *err)
{
    struct answer *answer = arg;

    answer->calls++;
    answer->status = reply->status;
    answer->code = err ? err->code : ERR_NONE;
}

/* Drives the exchanges until the answer is there. */
static void run_until(struct fetch_multi *multi, const struct answer *answer)
{
    while (!answer->calls) {
        struct pollfd fd = {.fd = fetch_multi_fd(multi), .events = POLLIN};

        assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
        fetch_multi_run(multi);
    }
}

struct scene {
    struct canned server;
    struct fetch *client;
    struct fetch_multi *multi;
    struct fetch_reply reply;
    struct err err;
    char url[100];
};

static void scene_start(struct scene *s, const char *const *replies)
{
    memset(s, 0, sizeof(*s));
    canned_start(&s->server, replies);
    s->client = fetch_new("test/1", &s->err);
    assert_non_null(s->client);
    s->multi = fetch_multi_new(s->client, &s->err);
    assert_non_null(s->multi);
    fetch_reply_init(&s->reply, 1000);
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/", s->server.port);
}

static void scene_end(struct scene *s)
{
    fetch_multi_free(s->multi);
    fetch_free(s->client);
    fetch_reply_done(&s->reply);
    canned_stop(&s->server, NULL);
}

static void test_a_reply_is_told_once(void **state)
{
    const char *const replies[] = {OK_HELLO, NULL};
    struct answer answer = {0};
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 10};
    assert_non_null(fetch_start(s.multi, &req, &s.reply, on_reply, &answer, &s.err));
    assert_int_equal(answer.calls, 0);
    run_until(s.multi, &answer);
    fetch_multi_run(s.multi);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.status, 200);
    assert_string_equal(buf_text(&s.reply.body), "hello");
    scene_end(&s);
}

static void test_two_exchanges_run_side_by_side_and_one_hangs(void **state)
{
    const char *const replies[] = {"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "hang",
                                   NULL};
    struct answer quick = {0};
    struct answer slow = {0};
    struct fetch_reply other;
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    fetch_reply_init(&other, 1000);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 10};
    assert_non_null(fetch_start(s.multi, &req, &s.reply, on_reply, &quick, &s.err));
    run_until(s.multi, &quick);
    assert_int_equal(quick.status, 204);
    assert_non_null(fetch_start(s.multi, &req, &other, on_reply, &slow, &s.err));
    fetch_multi_run(s.multi);
    assert_int_equal(slow.calls, 0);
    scene_end(&s); /* cancels the slow one: done is not called */
    assert_int_equal(slow.calls, 0);
    fetch_reply_done(&other);
}

static void test_a_time_out_makes_the_descriptor_ready(void **state)
{
    const char *const replies[] = {"hang", NULL};
    struct answer answer = {0};
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 1};
    assert_non_null(fetch_start(s.multi, &req, &s.reply, on_reply, &answer, &s.err));
    run_until(s.multi, &answer);
    assert_int_equal(answer.code, ERR_UPSTREAM_TIMEOUT);
    assert_int_equal(answer.status, 0);
    scene_end(&s);
}

static void test_nobody_listening_is_an_answer_too(void **state)
{
    const char *const replies[] = {NULL};
    struct answer answer = {0};
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    canned_stop(&s.server, NULL);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 10};
    assert_non_null(fetch_start(s.multi, &req, &s.reply, on_reply, &answer, &s.err));
    run_until(s.multi, &answer);
    assert_int_equal(answer.code, ERR_UPSTREAM);
    canned_start(&s.server, replies);
    scene_end(&s);
}

static void test_a_cancelled_exchange_is_silent(void **state)
{
    const char *const replies[] = {OK_HELLO, OK_HELLO, NULL};
    struct answer cancelled = {0};
    struct answer answer = {0};
    struct fetch_exchange *exchange;
    struct fetch_reply other;
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    fetch_reply_init(&other, 1000);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 10};
    exchange = fetch_start(s.multi, &req, &other, on_reply, &cancelled, &s.err);
    assert_non_null(exchange);
    fetch_cancel(exchange);
    assert_non_null(fetch_start(s.multi, &req, &s.reply, on_reply, &answer, &s.err));
    run_until(s.multi, &answer);
    assert_int_equal(cancelled.calls, 0);
    scene_end(&s);
    fetch_reply_done(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reply_is_told_once),
        cmocka_unit_test(test_two_exchanges_run_side_by_side_and_one_hangs),
        cmocka_unit_test(test_a_time_out_makes_the_descriptor_ready),
        cmocka_unit_test(test_nobody_listening_is_an_answer_too),
        cmocka_unit_test(test_a_cancelled_exchange_is_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
