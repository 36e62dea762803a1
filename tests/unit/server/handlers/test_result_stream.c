/* SPDX-License-Identifier: GPL-3.0-or-later
 * The stream runs on a store of its own here: each section is given as fragments in an array. */
#include "server/handlers/result.h"

#include "common/json.h"
#include "server/app.h"
#include "server/http/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fake_log {
    const char *phase;
    const char *text; /* repeated so many times */
    size_t repeat;
    size_t sent;
};

static struct fake_log logs[2];
static int cursors_open;
static bool broken;

/* What the store would do; the linker takes these. */
void log_cursor_init(struct log_cursor *cursor, const char *id, const char *type, const char *phase)
{
    (void)id;
    (void)type;
    *cursor = (struct log_cursor){.phase = phase, .number = -1, .open = true};
    cursors_open++;
}

void log_cursor_done(struct log_cursor *cursor)
{
    if (cursor->open)
        cursors_open--;
    cursor->open = false;
}

int log_cursor_next(struct log_cursor *cursor, struct db *db, size_t max, const char **ret_text,
                    size_t *ret_len, struct err *err)
{
    (void)db;
    if (broken)
        return err_set(err, ERR_UNAVAILABLE, "gone");
    for (size_t i = 0; i < 2; i++) {
        struct fake_log *log = &logs[i];

        if (!log->phase || strcmp(log->phase, cursor->phase) != 0 || log->sent == log->repeat)
            continue;
        assert_true(max >= strlen(log->text));
        log->sent++;
        cursor->number++;
        *ret_text = log->text;
        *ret_len = strlen(log->text);
        return 1;
    }
    return 0;
}

static int begin(struct buf *piece, const char *type, const char *phase, bool first)
{
    return buf_addf(piece, "%s\"%s/%s\":\"", first ? "" : ",", type, phase);
}

static int end(struct buf *piece, int64_t last_number)
{
    return buf_addf(piece, "|%lld\"", (long long)last_number);
}

static const struct log_stream_form form = {"}", begin, end};

static struct log_stream *make(const char *head)
{
    struct log_stream *s = log_stream_new(&form, "id");

    assert_non_null(s);
    assert_int_equal(buf_adds(&s->head, head), 0);
    log_stream_add(s, "output", "setup", false);
    log_stream_add(s, "output", "provision", true);
    log_stream_add(s, "output", "test", false);
    return s;
}

/* Sends the stream to its end; returns how many pieces there were. */
static int drain(struct log_stream *s, struct buf *all)
{
    struct app app = {.db = NULL};
    struct buf piece = BUF_INIT(STREAM_PIECE_MAX);
    struct err err = ERR_INIT;
    struct response res;
    int count = 0, rc;

    memset(&res, 0, sizeof(res));
    log_stream_answer(s, &res);
    assert_string_equal(res.content_type, "application/json");
    assert_int_equal(res.stream.size_bytes, -1);
    do {
        buf_clear(&piece);
        rc = res.stream.next(&app, res.stream.state, &piece, &err);
        assert_true(rc >= 0);
        assert_int_equal(buf_add(all, buf_text(&piece), piece.len), 0);
        count++;
    } while (rc == 1);
    res.stream.free(res.stream.state);
    buf_done(&piece);
    assert_int_equal(cursors_open, 0);
    return count;
}

static void test_a_short_answer_is_one_piece(void **state)
{
    struct buf all = BUF_INIT(10000);

    (void)state;
    logs[0] = (struct fake_log){"setup", "a\"\n", 2, 0};
    logs[1] = (struct fake_log){"test", "\xE2\x98\x83", 1, 0};
    assert_int_equal(drain(make("{"), &all), 1);
    assert_string_equal(buf_text(&all),
                        "{\"output/setup\":\"a\\\"\\na\\\"\\n|1\",\"output/provision\":\"|-1\","
                        "\"output/test\":\"\xE2\x98\x83|0\"}");
    buf_done(&all);
}

static void test_a_long_answer_goes_out_in_bounded_pieces(void **state)
{
    static const char line[] = "a line with \"quotes\" and a tab\t\n";
    struct buf all = BUF_INIT((size_t)64 << 20);
    struct json_object *json;

    (void)state;
    logs[0] = (struct fake_log){"setup", line, 100000, 0};
    logs[1] = (struct fake_log){"test", "\x01", 200000, 0};
    assert_true(drain(make("{\"x\":1,"), &all) > 10);
    assert_int_equal(jsn_parse(buf_text(&all), all.len, &json, NULL), 0);
    assert_int_equal(json_object_get_string_len(jsn_get(json, "output/setup")),
                     100000 * strlen(line) + strlen("|99999"));
    assert_int_equal(json_object_get_string_len(jsn_get(json, "output/test")),
                     200000 + strlen("|199999"));
    json_object_put(json);
    buf_done(&all);
}

static void test_a_head_longer_than_a_piece_is_cut_too(void **state)
{
    struct buf all = BUF_INIT((size_t)64 << 20);
    char *head = calloc(1, 3 * STREAM_PIECE_MAX + 10);

    (void)state;
    assert_non_null(head);
    memset(head, ' ', 3 * STREAM_PIECE_MAX);
    head[3 * STREAM_PIECE_MAX] = '{';
    logs[0] = logs[1] = (struct fake_log){.phase = NULL};
    assert_int_equal(drain(make(head), &all), 4);
    assert_string_equal(buf_text(&all) + 3 * STREAM_PIECE_MAX,
                        "{\"output/setup\":\"|-1\",\"output/provision\":\"|-1\","
                        "\"output/test\":\"|-1\"}");
    free(head);
    buf_done(&all);
}

static void test_a_failing_store_fails_the_answer(void **state)
{
    struct app app = {.db = NULL};
    struct buf piece = BUF_INIT(STREAM_PIECE_MAX);
    struct err err = ERR_INIT;
    struct response res;

    (void)state;
    memset(&res, 0, sizeof(res));
    log_stream_answer(make("{"), &res);
    broken = true;
    assert_int_equal(res.stream.next(&app, res.stream.state, &piece, &err), -1);
    broken = false;
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    res.stream.free(res.stream.state);
    assert_int_equal(cursors_open, 0);
    buf_done(&piece);
}

static void test_log_types_are_two(void **state)
{
    (void)state;
    assert_string_equal(log_type("output"), "output");
    assert_string_equal(log_type("serial"), "serial");
    assert_null(log_type("Output"));
    assert_null(log_type(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_short_answer_is_one_piece),
        cmocka_unit_test(test_a_long_answer_goes_out_in_bounded_pieces),
        cmocka_unit_test(test_a_head_longer_than_a_piece_is_cut_too),
        cmocka_unit_test(test_a_failing_store_fails_the_answer),
        cmocka_unit_test(test_log_types_are_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
