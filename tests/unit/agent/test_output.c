/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/output.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    char dir[40];
    char path[60];
    struct mask *mask;
    struct output output;
    struct err err;
    struct buf got;
};

static void scene_start(struct scene *s, int64_t limit)
{
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test_output_XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->path, sizeof(s->path), "%s/test.log", s->dir);
    s->mask = mask_new(&s->err);
    buf_init(&s->got, 64 << 20);
    assert_int_equal(output_open(&s->output, s->path, limit, s->mask, &s->err), 0);
}

static void scene_end(struct scene *s)
{
    output_done(&s->output);
    mask_free(s->mask);
    buf_done(&s->got);
    (void)unlink(s->path);
    (void)rmdir(s->dir);
}

/* Takes every fragment there is and appends it to s->got; returns how many. */
static int drain(struct scene *s, size_t max)
{
    struct buf text = BUF_INIT(OUTPUT_FRAGMENT_MAX + 3);
    int count = 0;

    while (output_pending(&s->output) > 0) {
        buf_clear(&text);
        assert_int_equal(output_next(&s->output, max, &text, &s->err), 0);
        assert_true(text.len > 0 || s->output.offer_end > 0);
        assert_int_equal(buf_add(&s->got, buf_text(&text), text.len), 0);
        output_taken(&s->output);
        count++;
    }
    buf_done(&text);
    return count;
}

static void add(struct scene *s, const char *text)
{
    output_add(&s->output, text, strlen(text));
}

static void test_output_arrives_in_order_and_whole(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, 1 << 20);
    add(&s, "one ");
    assert_int_equal(drain(&s, 100), 1);
    add(&s, "two ");
    add(&s, "three");
    assert_int_equal(drain(&s, 100), 1);
    output_end(&s.output);
    assert_int_equal(drain(&s, 100), 0);
    assert_string_equal(buf_text(&s.got), "one two three");
    scene_end(&s);
}

static void test_a_fragment_not_taken_is_offered_again_as_it_was(void **state)
{
    struct buf text = BUF_INIT(100);
    struct scene s;

    (void)state;
    scene_start(&s, 1 << 20);
    add(&s, "abc");
    assert_int_equal(output_next(&s.output, 50, &text, &s.err), 0);
    add(&s, "def");
    buf_clear(&text);
    assert_int_equal(output_next(&s.output, 50, &text, &s.err), 0);
    assert_string_equal(buf_text(&text), "abc");
    output_taken(&s.output);
    buf_clear(&text);
    assert_int_equal(output_next(&s.output, 50, &text, &s.err), 0);
    assert_string_equal(buf_text(&text), "def");
    output_taken(&s.output);
    assert_int_equal(output_pending(&s.output), 0);
    buf_done(&text);
    scene_end(&s);
}

static void test_a_character_split_over_reads_survives(void **state)
{
    static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
    struct scene s;

    (void)state;
    scene_start(&s, 1 << 20);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        output_add(&s.output, text + i, 1);
        (void)drain(&s, 100);
    }
    output_end(&s.output);
    (void)drain(&s, 100);
    assert_string_equal(buf_text(&s.got), text);
    scene_end(&s);
}

static void test_fragments_are_not_cut_inside_a_character(void **state)
{
    struct buf text = BUF_INIT(100);
    struct scene s;

    (void)state;
    scene_start(&s, 1 << 20);
    add(&s, "aa\xe2\x82\xac\xe2\x82\xac");
    assert_int_equal(output_next(&s.output, 3, &text, &s.err), 0);
    assert_string_equal(buf_text(&text), "aa\xe2\x82\xac");
    buf_done(&text);
    scene_end(&s);
}

static void test_bytes_that_are_no_characters_are_replaced(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, 1 << 20);
    add(&s, "a\xff"
            "b\xc0\xaf"
            "c\xed\xa0\x80"
            "d\xe2\x82");
    add(&s, "e\xf0\x9f");
    output_end(&s.output);
    (void)drain(&s, 100);
    assert_string_equal(buf_text(&s.got), "a\xef\xbf\xbd"
                                          "b\xef\xbf\xbd\xef\xbf\xbd"
                                          "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                          "d\xef\xbf\xbd\xef\xbf\xbd"
                                          "e\xef\xbf\xbd\xef\xbf\xbd");
    scene_end(&s);
}

static void test_zero_bytes_stay(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, 1 << 20);
    output_add(&s.output, "a\0b\0", 4);
    (void)drain(&s, 100);
    assert_int_equal(s.got.len, 4);
    assert_memory_equal(s.got.data, "a\0b\0", 4);
    scene_end(&s);
}

static void test_a_secret_over_two_reads_is_masked_in_file_and_fragments(void **state)
{
    char file[100] = "";
    struct scene s;

    (void)state;
    scene_start(&s, 1 << 20);
    assert_int_equal(mask_add(s.mask, "abc", 3, &s.err), 0);
    add(&s, "xa");
    (void)drain(&s, 100);
    add(&s, "bcy");
    output_end(&s.output);
    (void)drain(&s, 100);
    assert_string_equal(buf_text(&s.got), "x**ba7816**y");
    assert_int_equal(pread(s.output.fd, file, sizeof(file) - 1, 0), 12);
    assert_string_equal(file, "x**ba7816**y");
    scene_end(&s);
}

/* Numbers of seven digits and a line end: 8 bytes each. */
static void add_numbers(struct scene *s, int from, int to)
{
    char line[16];

    for (int i = from; i < to; i++) {
        (void)snprintf(line, sizeof(line), "%07d\n", i);
        add(s, line);
    }
}

static void test_of_a_long_log_beginning_and_end_are_sent(void **state)
{
    struct scene s;
    const char *note;

    (void)state;
    scene_start(&s, 8000); /* 7200 bytes as they come, 800 at the end */
    add_numbers(&s, 0, 950);
    (void)drain(&s, 100);
    assert_int_equal(s.got.len, 7200);
    add_numbers(&s, 950, 5000);
    (void)drain(&s, 100);
    note = strstr(buf_text(&s.got), "left out");
    assert_non_null(note);
    assert_null(strstr(note, "0004999"));
    output_end(&s.output);
    (void)drain(&s, 100);
    assert_non_null(strstr(buf_text(&s.got), "0000899\n\n***"));
    assert_non_null(strstr(buf_text(&s.got), "***\n0004900\n0004901\n"));
    assert_non_null(strstr(buf_text(&s.got), "0004999\n"));
    assert_in_range(s.got.len, 8000, 8300);
    scene_end(&s);
}

static void test_a_log_at_its_limit_is_sent_whole(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, 8000);
    add_numbers(&s, 0, 1000);
    (void)drain(&s, 100);
    output_end(&s.output);
    (void)drain(&s, 100);
    assert_int_equal(s.got.len, 8000);
    assert_null(strstr(buf_text(&s.got), "***"));
    scene_end(&s);
}

static void test_the_middle_of_a_long_log_takes_no_room_on_the_disk(void **state)
{
    static char piece[OUTPUT_PIECE_MAX];
    struct scene s;
    struct stat st;

    (void)state;
    scene_start(&s, 1 << 20);
    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 1024; i++)
        output_add(&s.output, piece, sizeof(piece));
    output_end(&s.output);
    assert_int_equal(fstat(s.output.fd, &st), 0);
    assert_int_equal(st.st_size, 64 << 20);
    assert_in_range(st.st_blocks * 512, 0, 8 << 20);
    (void)drain(&s, OUTPUT_FRAGMENT_MAX);
    assert_in_range(s.got.len, 1 << 20, (1 << 20) + 1000);
    assert_null(memchr(s.got.data, 0, s.got.len));
    scene_end(&s);
}

static void test_sending_goes_on_after_a_restart_where_it_was(void **state)
{
    struct output_mark mark;
    struct scene s;

    (void)state;
    scene_start(&s, 8000);
    add_numbers(&s, 0, 100);
    (void)drain(&s, 100);
    mark = output_mark(&s.output);
    add_numbers(&s, 100, 200);
    output_done(&s.output);
    assert_int_equal(output_resume(&s.output, s.path, 8000, &s.err), 0);
    output_set_mark(&s.output, &mark);
    (void)drain(&s, 100);
    assert_int_equal(s.got.len, 1600);
    assert_non_null(strstr(buf_text(&s.got), "0000099\n0000100\n"));
    scene_end(&s);
}

static void test_a_fragment_without_reply_is_cut_at_the_same_place_after_a_restart(void **state)
{
    struct buf before = BUF_INIT(OUTPUT_FRAGMENT_MAX + 3);
    struct buf after = BUF_INIT(OUTPUT_FRAGMENT_MAX + 3);
    struct output_mark mark;
    struct scene s;

    (void)state;
    scene_start(&s, 8000);
    add_numbers(&s, 0, 10);
    (void)drain(&s, 100);
    add_numbers(&s, 10, 20);
    assert_int_equal(output_next(&s.output, 1000, &before, &s.err), 0);
    mark = output_mark(&s.output);
    add_numbers(&s, 20, 30); /* printed while the fragment was under way */
    output_done(&s.output);
    assert_int_equal(output_append(&s.output, s.path, 8000, s.mask, &s.err), 0);
    output_set_mark(&s.output, &mark);
    add_numbers(&s, 30, 40);
    assert_int_equal(output_next(&s.output, 1000, &after, &s.err), 0);
    assert_string_equal(buf_text(&after), buf_text(&before));
    output_taken(&s.output);
    assert_int_equal(output_mark(&s.output).offered, 0);
    output_end(&s.output);
    buf_clear(&s.got);
    assert_int_equal(drain(&s, 1000), 1);
    assert_int_equal(s.got.len, 160);
    assert_string_equal(buf_text(&s.got) + 152, "0000039\n");
    buf_done(&before);
    buf_done(&after);
    scene_end(&s);
}

static void test_a_full_disk_costs_only_what_the_spare_cannot_hold(void **state)
{
    static char piece[OUTPUT_PIECE_MAX];
    struct scene s;
    int full;

    (void)state;
    scene_start(&s, 64 << 20);
    add(&s, "before\n");
    full = open("/dev/full", O_RDWR);
    assert_true(full >= 0);
    assert_true(dup2(full, s.output.fd) >= 0);
    (void)close(full);
    add(&s, "while full\n");
    assert_true(s.output.disk_full);
    assert_int_equal(s.output.size, 7);
    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 100; i++)
        output_add(&s.output, piece, sizeof(piece));
    assert_in_range(s.output.spare.len, 1, OUTPUT_SPARE_MAX);
    assert_non_null(strstr(buf_text(&s.output.spare), "disk is full"));
    scene_end(&s);
}

static void test_a_pipe_in_place_of_a_log_is_not_waited_for(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, 8000);
    output_done(&s.output);
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(mkfifo(s.path, 0600), 0);
    (void)alarm(30);
    assert_int_equal(output_resume(&s.output, s.path, 8000, &s.err), -1);
    (void)alarm(0);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_arrives_in_order_and_whole),
        cmocka_unit_test(test_a_fragment_not_taken_is_offered_again_as_it_was),
        cmocka_unit_test(test_a_character_split_over_reads_survives),
        cmocka_unit_test(test_fragments_are_not_cut_inside_a_character),
        cmocka_unit_test(test_bytes_that_are_no_characters_are_replaced),
        cmocka_unit_test(test_zero_bytes_stay),
        cmocka_unit_test(test_a_secret_over_two_reads_is_masked_in_file_and_fragments),
        cmocka_unit_test(test_of_a_long_log_beginning_and_end_are_sent),
        cmocka_unit_test(test_a_log_at_its_limit_is_sent_whole),
        cmocka_unit_test(test_the_middle_of_a_long_log_takes_no_room_on_the_disk),
        cmocka_unit_test(test_sending_goes_on_after_a_restart_where_it_was),
        cmocka_unit_test(test_a_fragment_without_reply_is_cut_at_the_same_place_after_a_restart),
        cmocka_unit_test(test_a_full_disk_costs_only_what_the_spare_cannot_hold),
        cmocka_unit_test(test_a_pipe_in_place_of_a_log_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
