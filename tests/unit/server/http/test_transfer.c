/* SPDX-License-Identifier: GPL-3.0-or-later
 * Uploads and streamed answers over real sockets. */
#include "raw.h"
#include "stage.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the upload handler below saw; it runs on one worker at a time. */
struct seen {
    atomic_int opened, finished, abandoned;
    uint64_t bytes;
    uint64_t sum; /* depends on the order of bytes */
    size_t short_pieces;
    enum err_code fail_at_open, fail_at_write;
};
static struct seen seen;

static uint64_t sum_of(uint64_t sum, const unsigned char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + data[i];
    return sum;
}

static int up_open(struct app *app, const struct request *req, void **ret_state, struct err *err)
{
    (void)app;
    (void)req;
    if (seen.fail_at_open)
        return err_set(err, seen.fail_at_open, "not wanted");
    atomic_fetch_add(&seen.opened, 1);
    *ret_state = &seen;
    return 0;
}

static int up_write(struct app *app, void *state, const void *data, size_t len, struct err *err)
{
    struct seen *s = state;

    (void)app;
    if (s->fail_at_write)
        return err_set(err, s->fail_at_write, "no room");
    s->bytes += len;
    s->sum = sum_of(s->sum, data, len);
    s->short_pieces += len != STREAM_PIECE_MAX;
    return 0;
}

static int up_finish(struct app *app, void *state, struct response *res, struct err *err)
{
    (void)app;
    (void)state;
    (void)err;
    atomic_fetch_add(&seen.finished, 1);
    return response_ok(res);
}

static void up_abandon(struct app *app, void *state)
{
    (void)app;
    (void)state;
    atomic_fetch_add(&seen.abandoned, 1);
}

static const struct upload_handler up = {up_open, up_write, up_finish, up_abandon};

/* A stream of `total` bytes of a pattern, in pieces of `piece`, that fails at `fail_at`. */
struct source {
    uint64_t at, total, piece, fail_at;
    bool empty_first;
};

static unsigned char pattern(uint64_t at)
{
    return (unsigned char)(at * 7 + at / 251);
}

static int next_piece(struct app *app, void *state, struct buf *piece, struct err *err)
{
    struct source *source = state;
    char *room;
    uint64_t n =
        source->total - source->at < source->piece ? source->total - source->at : source->piece;

    (void)app;
    if (source->empty_first) {
        source->empty_first = false;
        return 1;
    }
    if (source->fail_at && source->at >= source->fail_at)
        return err_set(err, ERR_INTERNAL, "the source broke");
    room = buf_reserve(piece, n);
    if (!room)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (uint64_t i = 0; i < n; i++)
        room[i] = (char)pattern(source->at + i);
    piece->len += n;
    buf_sane(piece);
    source->at += n;
    return source->at < source->total;
}

static atomic_int sources; /* alive */

static void free_source(void *state)
{
    atomic_fetch_sub(&sources, 1);
    free(state);
}

static int down(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    struct source *source = calloc(1, sizeof(*source));
    bool sized = request_query(req, "sized") != NULL;
    const char *fail_at = request_query(req, "fail");

    (void)app;
    if (!source)
        return err_set(err, ERR_INTERNAL, "out of memory");
    atomic_fetch_add(&sources, 1);
    source->total = strtoull(request_query(req, "total"), NULL, 10);
    source->piece = 100000;
    source->fail_at = fail_at ? strtoull(fail_at, NULL, 10) : 0;
    source->empty_first = request_query(req, "empty") != NULL;
    if (fail_at && source->fail_at == 1)
        source->at = 1; /* fails with its first piece */
    res->content_type = "application/octet-stream";
    res->stream = (struct stream){.next = next_piece,
                                  .free = free_source,
                                  .state = source,
                                  .size_bytes = sized ? (int64_t)source->total : -1};
    return 0;
}

static const struct route table[] = {
    {"POST", "/up", MAY_PUBLIC, NULL, LANE_FAST, BODY_UPLOAD, 0, NULL, &up, false, NULL},
    {"GET", "/down", MAY_PUBLIC, down, LANE_FAST, BODY_NONE, 0, NULL, NULL, false, NULL},
};

static int setup(void **state)
{
    seen = (struct seen){0};
    *state = stage_start(table, sizeof(table) / sizeof(table[0]), 10, 20000);
    return 0;
}

static int teardown(void **state)
{
    return stage_stop(*state) && atomic_load(&sources) == 0 ? 0 : -1;
}

static void until_seen(atomic_int *what, int value)
{
    for (int i = 0; atomic_load(what) != value; i++) {
        assert_true(i < 15000);
        stage_pause();
    }
}

#define MARK "mark-4711"
#define UP_HEAD                                                                                    \
    "POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=" MARK "\r\n"
#define FILE_HEAD                                                                                  \
    "--" MARK "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
#define FORM_END "\r\n--" MARK "--\r\n"

/* Sends a whole upload of this body. */
static int upload(struct stage *s, const void *body, size_t len)
{
    struct raw_reply reply;
    char head[400];
    int fd = raw_connect(s->port);

    (void)snprintf(head, sizeof(head), UP_HEAD "Content-Length: %zu\r\n\r\n", len);
    raw_text(fd, head);
    raw_send(fd, body, len);
    raw_read(fd, &reply);
    raw_reply_done(&reply);
    (void)close(fd);
    return reply.status;
}

static int upload_text(struct stage *s, const char *body)
{
    return upload(s, body, strlen(body));
}

static unsigned char *file_of(size_t len, size_t *ret_body_len)
{
    size_t head = strlen(FILE_HEAD);
    unsigned char *body = malloc(head + len + strlen(FORM_END));

    assert_non_null(body);
    memcpy(body, FILE_HEAD, head);
    for (size_t i = 0; i < len; i++)
        body[head + i] = pattern(i);
    memcpy(body + head + len, FORM_END, strlen(FORM_END));
    *ret_body_len = head + len + strlen(FORM_END);
    return body;
}

static void check_upload(struct stage *s, size_t len)
{
    size_t body_len;
    unsigned char *body = file_of(len, &body_len);

    seen = (struct seen){0};
    assert_int_equal(upload(s, body, body_len), 200);
    assert_int_equal(seen.bytes, len);
    assert_true(seen.sum == sum_of(0, body + strlen(FILE_HEAD), len));
    assert_int_equal(seen.short_pieces, len % STREAM_PIECE_MAX != 0);
    assert_int_equal(seen.opened, 1);
    assert_int_equal(seen.finished, 1);
    assert_int_equal(seen.abandoned, 0);
    free(body);
}

static void test_uploads_of_every_size_arrive_whole(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   1000,
                                   STREAM_PIECE_MAX - 1,
                                   STREAM_PIECE_MAX,
                                   STREAM_PIECE_MAX + 1,
                                   5 * STREAM_PIECE_MAX,
                                   7000001};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        check_upload(*state, sizes[i]);
}

static void test_text_that_looks_like_a_boundary_is_data(void **state)
{
    static const char data[] = "\r\n--mark-471\r\n--mark-4710\r-\n--\r\n\r\n--mark";
    char body[400];

    (void)snprintf(body, sizeof(body), "%s%s%s", FILE_HEAD, data, FORM_END);
    assert_int_equal(upload_text(*state, body), 200);
    assert_int_equal(seen.bytes, sizeof(data) - 1);
    assert_true(seen.sum == sum_of(0, (const unsigned char *)data, sizeof(data) - 1));
}

static void test_only_the_first_file_part_counts(void **state)
{
    assert_int_equal(
        upload_text(*state, "--" MARK "\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhm"
                            "\r\n" FILE_HEAD "one\r\n" FILE_HEAD "second" FORM_END),
        200);
    assert_int_equal(seen.bytes, 3);
}

static void test_a_form_without_the_file_part_is_refused(void **state)
{
    static const char *const bad[] = {
        "--" MARK "\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ntext" FORM_END,
        "--" MARK
        "\r\nContent-Disposition: form-data; name=\"other\"; filename=\"a\"\r\n\r\nx" FORM_END,
        "--" MARK "--\r\n",
        "",
        "nonsense",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(upload_text(*state, bad[i]), 400);
    assert_int_equal(seen.opened, 0);
}

static void test_a_body_of_another_type_is_refused(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;

    assert_int_equal(raw_ask(s->port,
                             "POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: application/gzip\r\n"
                             "Content-Length: 3\r\n\r\nabc",
                             &reply),
                     400);
    raw_reply_done(&reply);
    assert_int_equal(
        raw_ask(s->port, "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", &reply), 400);
    raw_reply_done(&reply);
}

static void test_a_form_cut_short_is_abandoned(void **state)
{
    size_t body_len;
    unsigned char *body = file_of(2 * STREAM_PIECE_MAX, &body_len);

    assert_int_equal(upload(*state, body, body_len - strlen(FORM_END) - 10), 400);
    until_seen(&seen.abandoned, 1);
    assert_int_equal(seen.finished, 0);
    free(body);
}

static void test_a_client_that_leaves_in_mid_upload_leaves_nothing(void **state)
{
    struct stage *s = *state;
    size_t body_len;
    unsigned char *body = file_of(3 * STREAM_PIECE_MAX, &body_len);
    int fd = raw_connect(s->port);

    raw_text(fd, UP_HEAD "Content-Length: 10000000\r\n\r\n");
    raw_send(fd, body, body_len / 2);
    until_seen(&seen.opened, 1);
    (void)close(fd);
    until_seen(&seen.abandoned, 1);
    assert_int_equal(seen.finished, 0);
    stage_until(s, METRIC_IN_FLIGHT, 0);
    free(body);
}

static void test_a_refused_upload_is_told_so(void **state)
{
    size_t body_len;
    unsigned char *body = file_of(20 * STREAM_PIECE_MAX, &body_len);

    seen.fail_at_open = ERR_INVALID;
    assert_int_equal(upload_text(*state, FILE_HEAD "small" FORM_END), 422);
    assert_int_equal(upload(*state, body, body_len), 422);
    assert_int_equal(seen.abandoned, 0);
    seen.fail_at_open = ERR_NONE;
    seen.fail_at_write = ERR_FULL;
    assert_int_equal(upload(*state, body, body_len), 507);
    until_seen(&seen.abandoned, 1);
    free(body);
}

static void test_an_upload_over_the_limit_is_refused_at_once(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;
    int fd = raw_connect(s->port);

    raw_text(fd, UP_HEAD "Content-Length: 70000000\r\n\r\n");
    raw_read(fd, &reply);
    assert_int_equal(reply.status, 413);
    raw_reply_done(&reply);
    (void)close(fd);
}

static void check_download(struct stage *s, uint64_t total, const char *how)
{
    struct raw_reply reply;
    char request[200];

    (void)snprintf(request, sizeof(request),
                   "GET /down?total=%" PRIu64 "&%s HTTP/1.1\r\nHost: x\r\n\r\n", total, how);
    assert_int_equal(raw_ask(s->port, request, &reply), 200);
    assert_int_equal(reply.len, total);
    for (uint64_t i = 0; i < total; i++)
        if ((unsigned char)reply.body[i] != pattern(i))
            fail_msg("byte %" PRIu64 " of %" PRIu64 " is wrong", i, total);
    raw_reply_done(&reply);
}

static void test_streams_arrive_whole(void **state)
{
    static const uint64_t totals[] = {0, 1, 99999, 100000, 100001, 950000};
    static const char *const ways[] = {"sized", "chunked", "empty"};

    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
        for (size_t j = 0; j < sizeof(ways) / sizeof(ways[0]); j++)
            check_download(*state, totals[i], ways[j]);
}

static void test_a_stream_of_one_piece_has_a_length(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;

    assert_int_equal(raw_ask(s->port, "GET /down?total=500 HTTP/1.1\r\nHost: x\r\n\r\n", &reply),
                     200);
    assert_non_null(strstr(reply.head, "Content-Length: 500\r\n"));
    raw_reply_done(&reply);
}

static void test_a_stream_that_cannot_start_is_an_error(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;

    assert_int_equal(
        raw_ask(s->port, "GET /down?total=500&fail=1 HTTP/1.1\r\nHost: x\r\n\r\n", &reply), 500);
    raw_reply_done(&reply);
}

static void test_a_stream_that_breaks_is_cut(void **state)
{
    static const char *const ways[] = {"sized", "chunked"};
    struct stage *s = *state;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct raw_reply reply;
        char request[200];
        int fd = raw_connect(s->port);

        (void)snprintf(request, sizeof(request),
                       "GET /down?total=500000&fail=250000&%s HTTP/1.1\r\nHost: x\r\n\r\n",
                       ways[i]);
        raw_text(fd, request);
        raw_read(fd, &reply);
        assert_int_equal(reply.status, 200);
        assert_int_equal(reply.len, 300000);
        assert_true(raw_closed(fd, 10000));
        raw_reply_done(&reply);
        (void)close(fd);
    }
}

static void test_a_head_of_a_stream_tells_its_size(void **state)
{
    struct stage *s = *state;
    struct raw_reply reply;
    int fd = raw_connect(s->port);

    raw_text(fd, "HEAD /down?total=500000&sized HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_read_head(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.head, "Content-Length: 500000\r\n"));
    raw_reply_done(&reply);
    (void)close(fd);
}

static void test_a_reader_that_leaves_ends_the_stream(void **state)
{
    struct stage *s = *state;
    char byte;
    int fd = raw_connect(s->port);

    raw_text(fd, "GET /down?total=2000000000&sized HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(read(fd, &byte, 1), 1);
    (void)close(fd);
    stage_until(s, METRIC_IN_FLIGHT, 0);
    assert_int_equal(atomic_load(&sources), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_uploads_of_every_size_arrive_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_that_looks_like_a_boundary_is_data, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_only_the_first_file_part_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_form_without_the_file_part_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_body_of_another_type_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_form_cut_short_is_abandoned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_leaves_in_mid_upload_leaves_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refused_upload_is_told_so, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_upload_over_the_limit_is_refused_at_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_streams_arrive_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stream_of_one_piece_has_a_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stream_that_cannot_start_is_an_error, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_stream_that_breaks_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_head_of_a_stream_tells_its_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_reader_that_leaves_ends_the_stream, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
