/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/attachments.h"

#include "common/fs.h"
#include "common/json.h"

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

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

struct place {
    char dir[64];
    int fd;
};

static int setup(void **state)
{
    static struct place place;
    char *path;

    (void)snprintf(place.dir, sizeof(place.dir), "/tmp/tf-attachments-XXXXXX");
    assert_non_null(mkdtemp(place.dir));
    path = fs_join(place.dir, "run.sh");
    assert_int_equal(fs_write_atomic(path, "#!/bin/sh\n", 10, 04755, NULL), 0);
    free(path);
    path = fs_join(place.dir, "data/deep");
    assert_int_equal(fs_make_dirs(path, NULL), 0);
    free(path);
    path = fs_join(place.dir, "data/deep/file");
    assert_int_equal(fs_write_atomic(path, "x", 1, 0644, NULL), 0);
    free(path);
    place.fd = open(place.dir, O_TMPFILE | O_RDWR, 0600);
    assert_true(place.fd >= 0);
    *state = &place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    (void)close(place->fd);
    return fs_remove_tree(place->dir, NULL);
}

static struct json_object *job_of(const char *text)
{
    struct json_object *job = NULL;

    assert_int_equal(jsn_parse(text, strlen(text), &job, NULL), 0);
    return job;
}

/* "name mode;" of every member. */
static void list_archive(int fd, struct buf *out)
{
    struct archive *a = archive_read_new();
    struct archive_entry *entry;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(archive_read_support_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
    assert_int_equal(archive_read_open_fd(a, fd, 4096), ARCHIVE_OK);
    while (archive_read_next_header(a, &entry) == ARCHIVE_OK)
        assert_int_equal(buf_addf(out, "%s %o;", archive_entry_pathname(entry),
                                  (unsigned)archive_entry_perm(entry)),
                         0);
    assert_int_equal(archive_read_free(a), ARCHIVE_OK);
}

static void test_files_are_packed_under_their_phase(void **state)
{
    struct place *place = *state;
    struct json_object *job =
        job_of("{\"test_data\": {\"attachments\": [{\"local\": \"run.sh\", \"agent\": \"bin/go\"}, "
               "{\"local\": \"run.sh\"}]}, \"provision_data\": {\"attachments\": [{\"local\": "
               "\"data/deep/file\", \"agent\": \"/image\"}]}}");
    struct buf listing = BUF_INIT(4096);

    assert_int_equal(attachments_pack(job, place->dir, place->fd, NULL), 0);
    list_archive(place->fd, &listing);
    assert_string_equal(buf_text(&listing), "provision/image 644;test/bin/go 755;test/run.sh 755;");
    assert_string_equal(
        json_object_to_json_string_ext(jsn_get(job, "test_data"), JSON_C_TO_STRING_PLAIN),
        "{\"attachments\":[{\"agent\":\"bin\\/go\"},{\"agent\":\"run.sh\"}]}");
    buf_done(&listing);
    (void)json_object_put(job);
}

static void test_a_directory_is_packed_with_what_is_in_it(void **state)
{
    struct place *place = *state;
    struct json_object *job = job_of("{\"firmware_update_data\": {\"attachments\": [{\"local\": "
                                     "\"data\", \"agent\": \"fw\"}]}}");
    struct buf listing = BUF_INIT(4096);

    assert_int_equal(attachments_pack(job, place->dir, place->fd, NULL), 0);
    list_archive(place->fd, &listing);
    assert_non_null(strstr(buf_text(&listing), "firmware_update/fw/deep/file 644;"));
    buf_done(&listing);
    (void)json_object_put(job);
}

static void test_what_cannot_be_packed_is_refused(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *item;
        const char *why;
    } examples[] = {
        {"{\"local\": \"nothing-here\"}", "could not pack"},
        {"{\"agent\": \"x\"}", "has no \"local\" path"},
        {"{\"local\": \"run.sh\", \"agent\": \"../x\"}", "cannot be the name"},
        {"{\"local\": \"run.sh\", \"agent\": \"a/../../x\"}", "cannot be the name"},
        {"{\"local\": \"run.sh\", \"agent\": \"a//b\"}", "cannot be the name"},
        {"{\"local\": \"/dev/null\"}", "neither a file nor a directory"},
        {"7", "has no \"local\" path"},
    };

    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct err err = ERR_INIT;
        char text[200];
        struct json_object *job;

        (void)snprintf(text, sizeof(text), "{\"test_data\": {\"attachments\": [%s]}}",
                       examples[i].item);
        job = job_of(text);
        assert_int_equal(attachments_pack(job, place->dir, place->fd, &err), -1);
        if (!strstr(err.text, examples[i].why))
            fail_msg("\"%s\" does not say \"%s\"", err.text, examples[i].why);
        (void)json_object_put(job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_are_packed_under_their_phase, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_directory_is_packed_with_what_is_in_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_packed_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
