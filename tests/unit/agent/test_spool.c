/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/spool.h"

#include "common/fs.h"

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

#define ID_1 "00000000-0000-4000-8000-000000000001"
#define ID_2 "00000000-0000-4000-8000-000000000002"
#define ID_3 "00000000-0000-4000-8000-000000000003"
#define ID_4 "00000000-0000-4000-8000-000000000004"

struct scene {
    char top[40];
    char run[60];
    char results[60];
    struct spool *spool;
    struct err err;
};

static void scene_start(struct scene *s)
{
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->top, sizeof(s->top), "/tmp/test_spool_XXXXXX");
    assert_non_null(mkdtemp(s->top));
    (void)snprintf(s->run, sizeof(s->run), "%s/a/run", s->top);
    (void)snprintf(s->results, sizeof(s->results), "%s/results", s->top);
    s->spool = spool_new(s->run, s->results, "agent", &s->err);
    assert_non_null(s->spool);
}

static void scene_end(struct scene *s)
{
    spool_free(s->spool);
    assert_int_equal(fs_remove_tree(s->top, NULL), 0);
}

/* A job's directory as the agent leaves it; the caller frees it. */
static char *make(struct scene *s, const char *id, bool over)
{
    struct record record;
    char *dir = NULL;

    record_init(&record);
    record.over = over;
    assert_int_equal(spool_make(s->spool, id, &record, &dir, &s->err), 0);
    return dir;
}

/* The next directory's name, "" if there is none. */
static const char *next_of(struct scene *s, enum spool_kind kind,
                           char cursor[static SPOOL_CURSOR_SIZE], struct record *ret_record)
{
    static char id[100];
    char *dir = NULL;

    id[0] = '\0';
    if (spool_next(s->spool, kind, cursor, &dir, ret_record) == 1)
        (void)snprintf(id, sizeof(id), "%s", strrchr(dir, '/') + 1);
    free(dir);
    return id;
}

static const char *next_id(struct scene *s, char cursor[static SPOOL_CURSOR_SIZE],
                           struct record *ret_record)
{
    return next_of(s, SPOOL_OVER, cursor, ret_record);
}

static void test_a_record_is_read_as_it_was_written(void **state)
{
    struct record written, got;
    struct scene s;
    char *dir, *path;

    (void)state;
    scene_start(&s);
    dir = make(&s, ID_1, false);
    path = spool_record_path(s.spool, dir);
    record_init(&written);
    written.status[PHASE_SETUP] = 0;
    written.status[PHASE_TEST] = 255;
    written.phase = PHASE_TEST;
    written.running = written.uploaded = true;
    written.next[LOG_SERIAL] = 77;
    written.marks[LOG_OUTPUT][PHASE_CLEANUP] = (struct output_mark){7, UINT64_C(1) << 40};
    written.losses = 2;
    (void)snprintf(written.reason, sizeof(written.reason), "a \"test\" fail");
    written.lease = (struct record_lease){"token-\"1\"", 60, 3, 3600};
    assert_int_equal(record_save(&written, path, &s.err), 0);
    assert_int_equal(record_load(&got, path, &s.err), 0);
    assert_memory_equal(&got, &written, sizeof(got));
    free(path);
    free(dir);
    scene_end(&s);
}

static void test_what_was_kept_and_what_was_left_is_found_in_order(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct record record;
    struct scene s;
    char *first, *second, *third, *fourth;

    (void)state;
    scene_start(&s);
    second = make(&s, ID_2, true); /* over when the agent died */
    first = make(&s, ID_1, true);
    third = make(&s, ID_3, true);
    fourth = make(&s, ID_4, false);
    assert_int_equal(spool_keep(s.spool, first, &s.err), 0);
    assert_int_equal(spool_keep(s.spool, third, &s.err), 0);
    assert_int_equal(access(first, F_OK), -1);
    assert_string_equal(next_id(&s, cursor, &record), ID_1);
    assert_true(record.over);
    assert_string_equal(next_id(&s, cursor, &record), ID_2);
    assert_string_equal(next_id(&s, cursor, &record), ID_3);
    assert_string_equal(next_id(&s, cursor, &record), "");
    cursor[0] = '\0';
    assert_string_equal(next_of(&s, SPOOL_LEFT, cursor, &record), ID_4);
    assert_false(record.over);
    assert_string_equal(next_of(&s, SPOOL_LEFT, cursor, &record), "");
    free(first);
    free(second);
    free(third);
    free(fourth);
    scene_end(&s);
}

static void test_what_is_in_use_is_not_found(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct record record;
    struct scene s;
    char *dir;

    (void)state;
    scene_start(&s);
    dir = make(&s, ID_1, true);
    spool_hold(s.spool, dir);
    assert_string_equal(next_id(&s, cursor, &record), "");
    spool_hold(s.spool, NULL);
    assert_string_equal(next_id(&s, cursor, &record), ID_1);
    free(dir);
    scene_end(&s);
}

static void test_directories_of_others_are_left_alone(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct record record;
    struct spool *another;
    struct scene s;
    char *dir, *aside;
    char other[100];

    (void)state;
    scene_start(&s);
    another = spool_new(s.run, s.results, "another", &s.err);
    assert_non_null(another);
    record_init(&record);
    record.over = true;
    assert_int_equal(spool_make(another, ID_1, &record, &dir, &s.err), 0);
    spool_free(another);
    (void)snprintf(other, sizeof(other), "%s/%s", s.run, ID_2);
    assert_int_equal(mkdir(other, 0755), 0);
    (void)snprintf(other, sizeof(other), "%s/not-an-id", s.run);
    assert_int_equal(mkdir(other, 0755), 0);
    aside = make(&s, ID_3, true);
    assert_int_equal(spool_put_aside(s.spool, aside, &s.err), 0);
    assert_string_equal(next_id(&s, cursor, &record), "");
    assert_int_equal(access(dir, F_OK), 0);
    free(dir);
    free(aside);
    scene_end(&s);
}

/* The lease of an agent that died is over, and one that shares its directories has the job. */
static void test_a_job_that_another_agent_has_now_is_left_to_that(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct buf text = BUF_INIT(100);
    struct record record;
    struct spool *another;
    struct scene s;
    char *dir, *theirs, *ours = NULL;

    (void)state;
    scene_start(&s);
    dir = make(&s, ID_1, false);
    another = spool_new(s.run, s.results, "another", &s.err);
    assert_non_null(another);
    record_init(&record);
    assert_int_equal(spool_make(another, ID_1, &record, &theirs, &s.err), 0);
    assert_string_equal(theirs, dir);
    assert_int_equal(spool_write(another, theirs, "file", "theirs", &s.err), 0);
    assert_int_equal(spool_next(s.spool, SPOOL_LEFT, cursor, &ours, &record), 1);
    assert_string_not_equal(ours, theirs);
    assert_int_equal(access(ours, F_OK), 0);
    assert_int_equal(spool_keep(s.spool, dir, &s.err), 0);
    assert_int_equal(spool_discard(s.spool, ours, &s.err), 0);
    assert_int_equal(access(ours, F_OK), -1);
    assert_int_equal(access(theirs, F_OK), 0);
    assert_int_equal(spool_keep(another, theirs, &s.err), 0);
    cursor[0] = '\0';
    free(theirs);
    assert_int_equal(spool_next(another, SPOOL_LEFT, cursor, &theirs, &record), 1);
    assert_int_equal(spool_read(theirs, "file", &text, &s.err), 0);
    assert_string_equal(buf_text(&text), "theirs");
    buf_done(&text);
    spool_free(another);
    free(dir);
    free(ours);
    free(theirs);
    scene_end(&s);
}

static void test_a_directory_kept_twice_is_there_once(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct record record;
    struct scene s;
    char *dir;

    (void)state;
    scene_start(&s);
    for (int i = 0; i < 2; i++) {
        dir = make(&s, ID_1, true);
        assert_int_equal(spool_keep(s.spool, dir, &s.err), 0);
        free(dir);
    }
    assert_string_equal(next_id(&s, cursor, &record), ID_1);
    assert_string_equal(next_id(&s, cursor, &record), "");
    scene_end(&s);
}

static void test_a_second_agent_of_the_same_name_is_refused(void **state)
{
    struct spool *other;
    struct scene s;

    (void)state;
    scene_start(&s);
    assert_null(spool_new(s.run, s.results, "agent", &s.err));
    assert_int_equal(s.err.code, ERR_CONFLICT);
    other = spool_new(s.run, s.results, "other", &s.err);
    assert_non_null(other);
    spool_free(other);
    scene_end(&s);
}

static void reopen(struct scene *s)
{
    spool_free(s->spool);
    s->spool = spool_new(s->run, s->results, "agent", &s->err);
    assert_non_null(s->spool);
}

static void test_what_was_half_made_is_found(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct record record;
    struct scene s;
    char *dir, *path;

    (void)state;
    scene_start(&s);
    dir = make(&s, ID_1, false);
    path = spool_record_path(s.spool, dir);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(rmdir(dir), 0);
    reopen(&s);
    assert_string_equal(next_of(&s, SPOOL_LEFT, cursor, &record), ID_1);
    assert_int_equal(record.phase, -1);
    assert_int_equal(record.status[PHASE_SETUP], RECORD_NO_STATUS);
    free(path);
    free(dir);
    scene_end(&s);
}

static void test_what_was_half_removed_is_gone(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct record record;
    struct scene s;
    char *dir, *path;

    (void)state;
    scene_start(&s);
    dir = make(&s, ID_1, true);
    assert_int_equal(spool_write_definition(s.spool, dir, "{}", &s.err), 0);
    path = spool_record_path(s.spool, dir);
    record_init(&record);
    record.done = true;
    assert_int_equal(record_sync(&record, path, &s.err), 0);
    assert_string_equal(next_of(&s, SPOOL_LEFT, cursor, &record), "");
    assert_string_equal(next_id(&s, cursor, &record), "");
    reopen(&s);
    assert_int_equal(access(dir, F_OK), -1);
    assert_int_equal(access(path, F_OK), -1);
    free(path);
    free(dir);
    scene_end(&s);
}

static void test_what_is_known_of_a_job_is_not_in_its_directory(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct buf text = BUF_INIT(100);
    struct record record;
    struct stat st;
    struct scene s;
    char *dir, *path;

    (void)state;
    scene_start(&s);
    dir = make(&s, ID_1, true);
    assert_int_equal(spool_write_definition(s.spool, dir, "{}", &s.err), 0);
    path = spool_record_path(s.spool, dir);
    assert_int_equal(rmdir(dir), 0); /* it is empty */
    *strrchr(path, '/') = '\0';
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_string_equal(next_id(&s, cursor, &record), ID_1);
    assert_int_equal(spool_read_definition(s.spool, dir, &text, &s.err), 0);
    assert_string_equal(buf_text(&text), "{}");
    buf_done(&text);
    free(path);
    free(dir);
    scene_end(&s);
}

static void test_records_that_others_can_write_are_not_believed(void **state)
{
    char path[120];
    struct scene s;

    (void)state;
    scene_start(&s);
    (void)snprintf(path, sizeof(path), "%s/.other.records", s.results);
    assert_int_equal(symlink(s.run, path), 0);
    assert_null(spool_new(s.run, s.results, "other", &s.err));
    assert_int_equal(unlink(path), 0);
    if (geteuid() == 0) {
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_null(spool_new(s.run, s.results, "other", &s.err));
        assert_int_equal(s.err.code, ERR_FORBIDDEN);
    }
    scene_end(&s);
}

static void test_a_discarded_directory_is_gone(void **state)
{
    char cursor[SPOOL_CURSOR_SIZE] = "";
    struct record record;
    struct scene s;
    char *dir;

    (void)state;
    scene_start(&s);
    dir = make(&s, ID_1, true);
    assert_int_equal(spool_discard(s.spool, dir, &s.err), 0);
    assert_int_equal(access(dir, F_OK), -1);
    assert_int_equal(spool_discard(s.spool, dir, &s.err), 0);
    assert_string_equal(next_id(&s, cursor, &record), "");
    free(dir);
    scene_end(&s);
}

static void test_only_plain_files_are_read(void **state)
{
    struct buf text = BUF_INIT(100);
    struct scene s;
    char path[100];
    char *dir;

    (void)state;
    scene_start(&s);
    dir = make(&s, ID_1, false);
    assert_int_equal(spool_write(s.spool, dir, "file", "text", &s.err), 0);
    assert_int_equal(spool_read(dir, "file", &text, &s.err), 0);
    assert_string_equal(buf_text(&text), "text");
    (void)snprintf(path, sizeof(path), "%s/pipe", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(spool_read(dir, "pipe", &text, &s.err), -1);
    (void)snprintf(path, sizeof(path), "%s/link", dir);
    assert_int_equal(symlink("file", path), 0);
    assert_int_equal(spool_read(dir, "link", &text, &s.err), -1);
    assert_int_equal(spool_read(dir, "missing", &text, &s.err), -1);
    assert_int_equal(s.err.code, ERR_NOT_FOUND);
    buf_done(&text);
    free(dir);
    scene_end(&s);
}

static void test_pipes_in_place_of_what_the_agent_wrote_are_not_waited_for(void **state)
{
    struct record record;
    struct scene s;
    char *dir, *path;

    (void)state;
    scene_start(&s);
    (void)alarm(30);
    dir = make(&s, ID_1, false);
    path = spool_record_path(s.spool, dir);
    assert_int_equal(record_load(&record, path, &s.err), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(record_save(&record, path, &s.err), -1);
    assert_int_equal(record_load(&record, path, &s.err), -1);
    (void)alarm(0);
    free(path);
    free(dir);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_is_read_as_it_was_written),
        cmocka_unit_test(test_what_was_kept_and_what_was_left_is_found_in_order),
        cmocka_unit_test(test_what_is_in_use_is_not_found),
        cmocka_unit_test(test_directories_of_others_are_left_alone),
        cmocka_unit_test(test_a_job_that_another_agent_has_now_is_left_to_that),
        cmocka_unit_test(test_a_directory_kept_twice_is_there_once),
        cmocka_unit_test(test_a_second_agent_of_the_same_name_is_refused),
        cmocka_unit_test(test_what_was_half_made_is_found),
        cmocka_unit_test(test_what_was_half_removed_is_gone),
        cmocka_unit_test(test_what_is_known_of_a_job_is_not_in_its_directory),
        cmocka_unit_test(test_records_that_others_can_write_are_not_believed),
        cmocka_unit_test(test_a_discarded_directory_is_gone),
        cmocka_unit_test(test_only_plain_files_are_read),
        cmocka_unit_test(test_pipes_in_place_of_what_the_agent_wrote_are_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
