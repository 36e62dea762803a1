/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests that are prepared while others are made together. */
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

#define BATCHED METRIC_BATCHED_SUBMIT

/* Where requests are prepared, and where they are made. */
static struct latch reading = LATCH_INIT, making = LATCH_INIT;
static atomic_int prepared, released, made;

/* A number; a negative one cannot be prepared. */
static int prepare(const struct app *app, const struct request *req, void **ret_prepared,
                   struct err *err)
{
    int64_t n = json_object_get_int64(json_object_object_get(req->json, "n"));
    int64_t *copy;

    assert_null(app->db);
    latch_pass(&reading);
    if (n < 0)
        return err_set(err, ERR_CONFLICT, "less than nothing");
    copy = malloc(sizeof(*copy));
    assert_non_null(copy);
    *copy = n;
    *ret_prepared = copy;
    prepared++;
    return 0;
}

static void release(void *one)
{
    free(one);
    released++;
}

/* The number, and which turn of how many it was. */
static void make(struct app *app, struct turn *turns, size_t count)
{
    (void)app;
    latch_pass(&making);
    for (size_t i = 0; i < count; i++) {
        struct turn *turn = &turns[i];
        const int64_t *n = turn->prepared;

        assert_null(turn->req->json);
        made++;
        if (count > 1 && request_query(turn->req, "again"))
            turn->end = TURN_AGAIN;
        else if (!turn->alone && request_query(turn->req, "alone"))
            turn->end = TURN_ALONE;
        else
            (void)buf_addf(&turn->res->body, "%lld: %zu of %zu", (long long)*n, i + 1, count);
    }
}

static const struct together_handler numbers = {
    .make = make,
    .prepare = prepare,
    .release = release,
};
static const struct schema_field fields[] = {{.name = "n", .type = SCHEMA_INT, .required = true},
                                             {.type = SCHEMA_END}};
static const struct schema schema = {.fields = fields};

static const struct route table[] = {
    {"POST", "/numbers", MAY_PUBLIC, NULL, LANE_SUBMIT, BODY_JSON, 100000, &schema, NULL, false,
     &numbers},
};

static int setup(void **state)
{
    latch_set(&reading, true);
    latch_set(&making, false);
    prepared = released = made = 0;
    *state = stage_start(table, 1, 2, 20000);
    return 0;
}

/* Whatever became of it, what was prepared is released once. */
static int teardown(void **state)
{
    latch_set(&reading, true);
    latch_set(&making, true);
    if (!stage_stop(*state))
        return -1;
    assert_int_equal(prepared, released);
    return 0;
}

static int post(const struct stage *s, const char *query, const char *body, size_t blanks)
{
    struct buf request = BUF_INIT(200000);
    int fd = raw_connect(s->port);

    (void)buf_addf(&request,
                   "POST /numbers%s HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%s%*s",
                   query, strlen(body) + blanks, body, (int)blanks, "");
    raw_text(fd, buf_text(&request));
    buf_done(&request);
    return fd;
}

static int post_number(const struct stage *s, int n)
{
    char body[32];

    (void)snprintf(body, sizeof(body), "{\"n\":%d}", n);
    return post(s, "", body, 0);
}

static void assert_next(int fd, int status, const char *text)
{
    struct raw_reply reply;

    raw_read(fd, &reply);
    assert_int_equal(reply.status, status);
    if (!strstr(reply.body, text))
        fail_msg("no \"%s\" in \"%s\"", text, reply.body);
    raw_reply_done(&reply);
    (void)close(fd);
}

/* The first is being made and the second is ready. */
static void begin_two(struct stage *s, int fds[static 2])
{
    fds[0] = post_number(s, 1);
    latch_until_waiting(&making, 1);
    fds[1] = post_number(s, 2);
    stage_until(s, METRIC_POOL_WAITING_SUBMIT, 1);
}

static void test_what_comes_while_others_are_made_is_prepared(void **state)
{
    struct stage *s = *state;
    int fds[2], third, late;

    begin_two(s, fds);
    third = post_number(s, 3);
    stage_until(s, METRIC_POOL_WAITING_SUBMIT, 2);
    assert_int_equal(prepared, 3);
    late = post_number(s, 4);
    assert_next(late, 503, "");
    assert_int_equal(metrics_get(s->metrics, METRIC_REFUSED), 1);
    latch_set(&making, true);
    assert_next(fds[0], 200, "1: 1 of 1");
    assert_next(fds[1], 200, "2: 1 of 2");
    assert_next(third, 200, "3: 2 of 2");
    assert_int_equal(made, 3);
}

static void test_what_cannot_be_prepared_waits_for_nobody(void **state)
{
    struct stage *s = *state;
    int fds[2];

    begin_two(s, fds);
    assert_next(post(s, "", "{", 0), 400, "JSON");
    assert_next(post(s, "", "{\"n\":\"x\"}", 0), 422, "not an integer");
    assert_next(post_number(s, -1), 409, "less than nothing");
    latch_set(&making, true);
    assert_next(fds[0], 200, "1: 1 of 1");
    assert_next(fds[1], 200, "2: 1 of 1");
    assert_int_equal(prepared, 2);
}

static void test_what_waits_to_be_prepared_is_bounded(void **state)
{
    struct stage *s = *state;
    int fds[3];

    latch_set(&reading, false);
    fds[0] = post_number(s, 0);
    latch_until_waiting(&reading, 1);
    for (int i = 1; i < 3; i++) {
        fds[i] = post_number(s, i);
        stage_until(s, METRIC_POOL_WAITING_PREPARE, i);
    }
    assert_next(post_number(s, 3), 503, "");
    latch_set(&making, true);
    latch_set(&reading, true);
    for (int i = 0; i < 3; i++) {
        char text[16];

        (void)snprintf(text, sizeof(text), "%d: ", i);
        assert_next(fds[i], 200, text);
    }
}

static void test_one_whose_client_leaves_is_made_all_the_same(void **state)
{
    struct stage *s = *state;
    int fds[2], third;

    begin_two(s, fds);
    (void)close(fds[1]);
    latch_set(&reading, false);
    third = post_number(s, 3);
    latch_until_waiting(&reading, 1);
    (void)close(third);
    latch_set(&reading, true);
    stage_until(s, METRIC_POOL_WAITING_SUBMIT, 2);
    latch_set(&making, true);
    assert_next(fds[0], 200, "1: 1 of 1");
    stage_until(s, METRIC_IN_FLIGHT, 0);
    assert_int_equal(made, 3);
}

static void test_all_that_was_let_in_is_answered_before_the_end(void **state)
{
    struct stage *s = *state;
    int fds[2], third;

    begin_two(s, fds);
    latch_set(&reading, false);
    third = post_number(s, 3);
    latch_until_waiting(&reading, 1);
    loop_drain(s->loop, 20000);
    latch_set(&reading, true);
    stage_until(s, METRIC_POOL_WAITING_SUBMIT, 2);
    latch_set(&making, true);
    assert_next(fds[0], 200, "1: 1 of 1");
    assert_next(fds[1], 200, "2: 1 of 2");
    assert_next(third, 200, "3: 2 of 2");
}

static void test_one_that_comes_again_or_alone_is_prepared_once(void **state)
{
    struct stage *s = *state;
    int first = post_number(s, 1), again, alone;

    latch_until_waiting(&making, 1);
    again = post(s, "?again=1", "{\"n\":2}", 0);
    stage_until(s, METRIC_POOL_WAITING_SUBMIT, 1);
    alone = post(s, "?alone=1", "{\"n\":3}", 0);
    stage_until(s, METRIC_POOL_WAITING_SUBMIT, 2);
    latch_set(&making, true);
    assert_next(first, 200, "1: 1 of 1");
    assert_next(again, 200, "2: 1 of 1");
    assert_next(alone, 200, "3: 1 of 1");
    assert_int_equal(prepared, 3);
}

static void test_a_large_one_is_prepared_and_made_by_a_worker(void **state)
{
    struct stage *s = *state;

    latch_set(&making, true);
    assert_next(post(s, "", "{\"n\":7}", 70000), 200, "7: 1 of 1");
    assert_int_equal(metrics_get(s->metrics, BATCHED), 0);
    assert_int_equal(prepared, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_comes_while_others_are_made_is_prepared, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_prepared_waits_for_nobody, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_waits_to_be_prepared_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_whose_client_leaves_is_made_all_the_same, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_all_that_was_let_in_is_answered_before_the_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_one_that_comes_again_or_alone_is_prepared_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_large_one_is_prepared_and_made_by_a_worker, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
