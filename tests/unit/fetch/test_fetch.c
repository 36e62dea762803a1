/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/fetch.h"

#include "tests/unit/lib/canned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"

/* One client, one canned server, one reply: what every test needs. */
struct scene {
    struct canned server;
    struct fetch *client;
    struct fetch_reply reply;
    struct buf requests;
    struct err err;
    char url[100];
};

static void scene_start(struct scene *s, const char *const *replies)
{
    memset(s, 0, sizeof(*s));
    canned_start(&s->server, replies);
    s->client = fetch_new("test/1", &s->err);
    assert_non_null(s->client);
    fetch_reply_init(&s->reply, 1000);
    buf_init(&s->requests, 1 << 20);
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/v1/x?secret=1", s->server.port);
}

static void scene_end(struct scene *s)
{
    canned_stop(&s->server, &s->requests);
    fetch_free(s->client);
    fetch_reply_done(&s->reply);
}

static void test_a_reply_has_status_body_and_headers(void **state)
{
    const char *const replies[] = {
        "HTTP/1.1 404 Not Found\r\nX-Thing: some text\r\nContent-Length: 2\r\n\r\n{}", NULL};
    struct scene s;
    char value[20];

    (void)state;
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 10};
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), 0);
    assert_int_equal(s.reply.status, 404);
    assert_string_equal(buf_text(&s.reply.body), "{}");
    assert_int_equal(fetch_header(&s.reply, "x-thing", value, sizeof(value)), 0);
    assert_string_equal(value, "some text");
    assert_int_equal(fetch_header(&s.reply, "x-thin", value, sizeof(value)), -1);
    assert_int_equal(fetch_classify(&s.reply, NULL), FETCH_REFUSED);
    scene_end(&s);
    buf_done(&s.requests);
}

static void test_body_token_and_headers_are_sent(void **state)
{
    const char *const replies[] = {OK_HELLO, NULL};
    const char *const headers[] = {"Idempotency-Key: k1", NULL};
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "POST",
                                      .url = s.url,
                                      .timeout_s = 10,
                                      .bearer = "t0ken",
                                      .headers = headers,
                                      .body = "{\"a\":1}",
                                      .body_len = 7};
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), 0);
    assert_int_equal(fetch_classify(&s.reply, NULL), FETCH_OK);
    scene_end(&s);
    assert_non_null(strstr(buf_text(&s.requests), "POST /v1/x?secret=1 HTTP/1.1"));
    assert_non_null(strstr(buf_text(&s.requests), "Authorization: Bearer t0ken"));
    assert_non_null(strstr(buf_text(&s.requests), "Idempotency-Key: k1"));
    assert_non_null(strstr(buf_text(&s.requests), "Content-Type: application/json"));
    assert_non_null(strstr(buf_text(&s.requests), "\r\n\r\n{\"a\":1}"));
    buf_done(&s.requests);
}

static void test_a_cookie_comes_back_with_the_next_request(void **state)
{
    const char *const replies[] = {
        "HTTP/1.1 200 OK\r\nSet-Cookie: agent_name=a1; HttpOnly; Path=/; "
        "SameSite=Strict\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        OK_HELLO, NULL};
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 10};
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), 0);
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), 0);
    scene_end(&s);
    assert_non_null(strstr(buf_text(&s.requests), "Cookie: agent_name=a1\r\n"));
    buf_done(&s.requests);
}

static void test_a_file_goes_out_as_multipart(void **state)
{
    const char *const replies[] = {OK_HELLO, NULL};
    char path[] = "/tmp/test_fetch_XXXXXX";
    int fd = mkstemp(path);
    struct scene s;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "tar bytes", 9), 9);
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "POST",
                                      .url = s.url,
                                      .timeout_s = 10,
                                      .stall_s = 5,
                                      .upload_path = path,
                                      .upload_name = "artifacts.tar.gz"};
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), 0);
    assert_int_equal(s.reply.status, 200);
    scene_end(&s);
    assert_non_null(strstr(buf_text(&s.requests), "name=\"file\"; filename=\"artifacts.tar.gz\""));
    assert_non_null(strstr(buf_text(&s.requests), "\r\n\r\ntar bytes\r\n"));
    buf_done(&s.requests);
    (void)close(fd);
    (void)unlink(path);
}

static void test_a_good_body_can_stream_into_a_file_and_an_error_message_does_not(void **state)
{
    const char *const replies[] = {
        OK_HELLO, "HTTP/1.1 400 Bad\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad", NULL};
    int fd = memfd_create("sink", MFD_CLOEXEC);
    char got[20] = "";
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    const struct fetch_request req = {
        .method = "GET", .url = s.url, .timeout_s = 10, .sink = fetch_sink_fd, .sink_arg = &fd};
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), 0);
    assert_int_equal(s.reply.body.len, 0);
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), 0);
    assert_int_equal(s.reply.status, 400);
    assert_string_equal(buf_text(&s.reply.body), "bad");
    assert_int_equal(pread(fd, got, sizeof(got) - 1, 0), 5);
    assert_string_equal(got, "hello");
    (void)close(fd);
    scene_end(&s);
    buf_done(&s.requests);
}

static void test_a_reply_beyond_its_maximum_is_refused(void **state)
{
    char big[2000];
    const char *const replies[] = {big, NULL};
    struct scene s;

    (void)state;
    (void)snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n\r\n%01500d", 0);
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 10};
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), -1);
    assert_int_equal(s.err.code, ERR_TOO_LARGE);
    assert_int_equal(s.reply.status, 0);
    assert_int_equal(fetch_classify(&s.reply, &s.err), FETCH_REFUSED);
    scene_end(&s);
    buf_done(&s.requests);
}

static void test_silence_ends_with_a_time_out(void **state)
{
    const char *const replies[] = {"hang", NULL};
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "GET", .url = s.url, .timeout_s = 1};
    assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), -1);
    assert_int_equal(s.err.code, ERR_UPSTREAM_TIMEOUT);
    assert_int_equal(fetch_classify(&s.reply, &s.err), FETCH_RETRY);
    assert_null(strstr(s.err.text, "secret"));
    scene_end(&s);
    buf_done(&s.requests);
}

static void test_a_connection_cut_short_may_be_tried_again(void **state)
{
    const char *const replies[] = {"", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", NULL};
    struct scene s;

    (void)state;
    scene_start(&s, replies);
    const struct fetch_request req = {.method = "POST", .url = s.url, .timeout_s = 10};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fetch_run(s.client, &req, &s.reply, &s.err), -1);
        assert_int_equal(s.err.code, ERR_UPSTREAM);
        assert_int_equal(s.reply.status, 0);
        assert_int_equal(fetch_classify(&s.reply, &s.err), FETCH_RETRY);
    }
    scene_end(&s);
    buf_done(&s.requests);
}

static void test_other_protocols_are_no_addresses(void **state)
{
    struct fetch_reply reply;
    struct err err = ERR_INIT;
    struct fetch *client = fetch_new("test/1", &err);
    const struct fetch_request req = {.method = "GET", .url = "file:///etc/passwd", .timeout_s = 5};

    (void)state;
    fetch_reply_init(&reply, 1000);
    assert_int_equal(fetch_run(client, &req, &reply, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(fetch_classify(&reply, &err), FETCH_REFUSED);
    fetch_reply_done(&reply);
    fetch_free(client);
}

static void test_escaping_leaves_only_unreserved_characters(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    assert_int_equal(fetch_add_escaped(&b, "a-z_/ ?&=\xc3\xa4~"), 0);
    assert_string_equal(buf_text(&b), "a-z_%2F%20%3F%26%3D%C3%A4~");
    buf_done(&b);
}

static void test_a_server_s_address_may_lack_the_scheme(void **state)
{
    static const char *const cases[][2] = {
        {"host:8000", "http://host:8000"},
        {"http://host/", "http://host"},
        {"https://host//", "https://host"},
        {"https://host/under", "https://host/under"},
        {"", "http://"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *url = fetch_base_url(cases[i][0]);

        assert_string_equal(url, cases[i][1]);
        free(url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reply_has_status_body_and_headers),
        cmocka_unit_test(test_body_token_and_headers_are_sent),
        cmocka_unit_test(test_a_cookie_comes_back_with_the_next_request),
        cmocka_unit_test(test_a_file_goes_out_as_multipart),
        cmocka_unit_test(test_a_good_body_can_stream_into_a_file_and_an_error_message_does_not),
        cmocka_unit_test(test_a_reply_beyond_its_maximum_is_refused),
        cmocka_unit_test(test_silence_ends_with_a_time_out),
        cmocka_unit_test(test_a_connection_cut_short_may_be_tried_again),
        cmocka_unit_test(test_other_protocols_are_no_addresses),
        cmocka_unit_test(test_escaping_leaves_only_unreserved_characters),
        cmocka_unit_test(test_a_server_s_address_may_lack_the_scheme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
