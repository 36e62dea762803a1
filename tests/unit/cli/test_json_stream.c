/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/json_stream.h"

#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Writes every event as "key/key=value;". */
struct record {
    struct buf text;
    bool open;
};

static void add_path(struct record *r, const struct json_stream *stream)
{
    for (size_t level = 0; level < stream->depth; level++)
        assert_int_equal(
            buf_addf(&r->text, "%s%s", level ? "/" : "", json_stream_key(stream, level)), 0);
    assert_int_equal(buf_addc(&r->text, '='), 0);
}

static int on_text(void *arg, const struct json_stream *stream, const char *data, size_t len,
                   bool last)
{
    struct record *r = arg;

    if (!r->open)
        add_path(r, stream);
    r->open = !last;
    assert_int_equal(buf_add(&r->text, data, len), 0);
    if (last)
        assert_int_equal(buf_addc(&r->text, ';'), 0);
    return 0;
}

static int on_word(void *arg, const struct json_stream *stream, const char *word)
{
    struct record *r = arg;

    add_path(r, stream);
    assert_int_equal(buf_addf(&r->text, "%s;", word), 0);
    return 0;
}

static const struct json_events events = {on_text, on_word};

/* Fed in pieces of every size: what is read must not depend on where they end. */
static void assert_reads(const char *json, const char *expected, size_t expected_len)
{
    size_t len = strlen(json);

    for (size_t piece = 1; piece <= len; piece++) {
        struct record r = {.text = BUF_INIT(4096)};
        struct json_stream stream;

        json_stream_init(&stream, &events, &r);
        for (size_t at = 0; at < len; at += piece)
            assert_int_equal(
                json_stream_feed(&stream, json + at, len - at < piece ? len - at : piece, NULL), 0);
        assert_true(json_stream_complete(&stream));
        assert_int_equal(r.text.len, expected_len);
        assert_memory_equal(buf_text(&r.text), expected, expected_len);
        buf_done(&r.text);
    }
}

#define ASSERT_READS(json, expected) assert_reads(json, expected, sizeof(expected) - 1)

static void test_values_come_with_the_keys_that_lead_to_them(void **state)
{
    (void)state;
    ASSERT_READS("{\"output\": {\"test\": {\"last_fragment_number\": 12, \"log_data\": \"hi\"}}}",
                 "output/test/last_fragment_number=12;output/test/log_data=hi;");
    ASSERT_READS("[1, {\"a\": [true, null]}, \"\"]", "=1;/a/=true;/a/=null;=;");
    ASSERT_READS("{}", "");
    ASSERT_READS("{\"a\":{},\"b\":[],\"c\":-1.5e+3}", "c=-1.5e+3;");
}

static void test_escapes_become_utf_8(void **state)
{
    (void)state;
    ASSERT_READS("[\"a\\n\\t\\\"\\\\\\/\\u0041\\u00e9\\u20ac\"]", "=a\n\t\"\\/Aé€;");
    ASSERT_READS("[\"\\ud83d\\ude00\"]", "=😀;");
    ASSERT_READS("[\"x\\u0000y\"]", "=x\0y;");
    ASSERT_READS("[\"é😀\"]", "=é😀;");
}

static void test_half_a_pair_becomes_a_replacement_character(void **state)
{
    (void)state;
    ASSERT_READS("[\"\\ud83dx\"]", "=\xef\xbf\xbdx;");
    ASSERT_READS("[\"\\ude00\"]", "=\xef\xbf\xbd;");
    ASSERT_READS("[\"\\ud83d\"]", "=\xef\xbf\xbd;");
    ASSERT_READS("[\"\\ud83d\\n\"]", "=\xef\xbf\xbd\n;");
}

static void test_long_keys_are_cut_and_deep_ones_are_not_kept(void **state)
{
    char json[200];
    struct record r = {.text = BUF_INIT(4096)};
    struct json_stream stream;
    int len;

    (void)state;
    len = snprintf(json, sizeof(json), "{\"%0100d\":1}", 0);
    json_stream_init(&stream, &events, &r);
    assert_int_equal(json_stream_feed(&stream, json, (size_t)len, NULL), 0);
    assert_int_equal(r.text.len, JSON_STREAM_KEY - 1 + strlen("=1;"));
    buf_done(&r.text);
    ASSERT_READS("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":1}}}}}", "a/b/c/d/=1;");
}

static void test_what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "<html>", "{a:1}",     "{\"a\" 1}",     "[1 2]", "{\"a\":1]",
        "]",      "[\"\\x\"]", "[\"\\u00g0\"]", "[}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct record r = {.text = BUF_INIT(4096)};
        struct json_stream stream;
        struct err err = ERR_INIT;

        json_stream_init(&stream, &events, &r);
        if (json_stream_feed(&stream, texts[i], strlen(texts[i]), &err) == 0)
            fail_msg("%s was taken", texts[i]);
        assert_int_equal(err.code, ERR_UPSTREAM);
        buf_done(&r.text);
    }
}

static void test_nesting_is_bounded(void **state)
{
    struct record r = {.text = BUF_INIT(4096)};
    struct json_stream stream;
    int rc = 0;

    (void)state;
    json_stream_init(&stream, &events, &r);
    for (int i = 0; i <= JSON_STREAM_DEPTH && rc == 0; i++)
        rc = json_stream_feed(&stream, "[", 1, NULL);
    assert_int_equal(rc, -1);
    buf_done(&r.text);
}

static void test_a_document_cut_short_is_not_complete(void **state)
{
    struct record r = {.text = BUF_INIT(4096)};
    struct json_stream stream;

    (void)state;
    json_stream_init(&stream, &events, &r);
    assert_int_equal(json_stream_feed(&stream, "{\"a\":\"b\"", 8, NULL), 0);
    assert_false(json_stream_complete(&stream));
    buf_done(&r.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_come_with_the_keys_that_lead_to_them),
        cmocka_unit_test(test_escapes_become_utf_8),
        cmocka_unit_test(test_half_a_pair_becomes_a_replacement_character),
        cmocka_unit_test(test_long_keys_are_cut_and_deep_ones_are_not_kept),
        cmocka_unit_test(test_what_is_no_json_is_refused),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_a_document_cut_short_is_not_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
