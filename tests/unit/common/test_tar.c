/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/tar.h"

#include "common/buf.h"
#include "common/fs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const tops[] = {"provision", "firmware_update", "test", NULL};
static const struct tar_limits limits = {tops, 1 << 20, 20};

struct member {
    const char *name;
    char
        type; /* of ustar: '0' file, '1' hard link, '2' link, '3' device, '5' directory, '6' pipe */
    const char *target;
    const char *content;
    unsigned mode;
};

/* Octal digits, as many as given. */
static void put_octal(char *field, int digits, size_t value)
{
    for (; digits > 0; value >>= 3)
        field[--digits] = (char)('0' + (value & 7));
}

/* Adds a member in ustar format. */
static void add_member(struct buf *tar, const struct member *m)
{
    size_t len = m->content ? strlen(m->content) : 0;
    char head[512] = "";
    char zeros[512] = "";
    unsigned sum = 0;

    assert_true(strlen(m->name) < 100);
    memcpy(head, m->name, strlen(m->name));
    put_octal(head + 100, 7, m->mode ? m->mode : m->type == '5' ? 0755 : 0644);
    put_octal(head + 108, 7, 0);
    put_octal(head + 116, 7, 0);
    put_octal(head + 124, 11, len);
    put_octal(head + 136, 11, 0);
    head[156] = m->type;
    if (m->target)
        memcpy(head + 157, m->target, strlen(m->target));
    memcpy(head + 257, "ustar\00000", 8);
    memset(head + 148, ' ', 8);
    for (size_t i = 0; i < sizeof(head); i++)
        sum += (unsigned char)head[i];
    put_octal(head + 148, 6, sum);
    head[154] = '\0';
    assert_int_equal(buf_add(tar, head, sizeof(head)), 0);
    assert_int_equal(buf_add(tar, m->content ? m->content : "", len), 0);
    assert_int_equal(buf_add(tar, zeros, (512 - len % 512) % 512), 0);
}

static int archive_of(const struct member *members)
{
    struct buf tar = BUF_INIT(1 << 20);
    char zeros[1024] = "";
    int fd = memfd_create("archive", MFD_CLOEXEC);

    for (; members->name; members++)
        add_member(&tar, members);
    assert_int_equal(buf_add(&tar, zeros, sizeof(zeros)), 0);
    assert_int_equal(write(fd, tar.data, tar.len), tar.len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    buf_done(&tar);
    return fd;
}

static int unpack(int fd, const char *dir, struct err *err)
{
    struct tar_unpacker *u = tar_unpacker_new(fd, dir, &limits, err);
    int rc = u ? 1 : -1;

    while (rc > 0)
        rc = tar_unpacker_step(u, err);
    tar_unpacker_free(u);
    return rc;
}

static void make_scene(char top[static 64], char dir[static 80])
{
    (void)snprintf(top, 64, "/tmp/test_tar_XXXXXX");
    assert_non_null(mkdtemp(top));
    (void)snprintf(dir, 80, "%s/in", top);
    assert_int_equal(mkdir(dir, 0755), 0);
}

static void end_scene(const char *top)
{
    assert_int_equal(fs_remove_tree(top, NULL), 0);
}

/* Unpacks the members; true if they were refused as invalid and nothing lies beside the target. */
static bool is_refused(const struct member *members)
{
    struct err err = ERR_INIT;
    char top[64], dir[80], beside[80];
    int fd = archive_of(members);
    bool refused;

    make_scene(top, dir);
    refused = unpack(fd, dir, &err) < 0 && err.code == ERR_INVALID;
    (void)snprintf(beside, sizeof(beside), "%s/evil", top);
    assert_int_equal(access(beside, F_OK), -1);
    assert_int_equal(access("/tmp/evil_of_test_tar", F_OK), -1);
    (void)close(fd);
    end_scene(top);
    return refused;
}

static void test_good_members_are_unpacked(void **state)
{
    static const struct member members[] = {
        {"./test/", '5', NULL, NULL, 0},
        {"test/run.sh", '0', NULL, "echo hi\n", 0755},
        {"test/deep/er/file", '0', NULL, "x", 0},
        {"test/deep/link", '2', "../run.sh", NULL, 0},
        {"test/same", '1', "test/run.sh", NULL, 0},
        {"provision/empty", '0', NULL, "", 0},
        {"test/", '5', NULL, NULL, 0},
        {NULL, 0, NULL, NULL, 0},
    };
    struct err err = ERR_INIT;
    char top[64], dir[80], path[160];
    struct buf got = BUF_INIT(100);
    struct stat st;
    int fd = archive_of(members);

    (void)state;
    make_scene(top, dir);
    assert_int_equal(unpack(fd, dir, &err), 0);
    (void)snprintf(path, sizeof(path), "%s/test/deep/link", dir);
    assert_int_equal(fs_read(path, &got, &err), 0);
    assert_string_equal(buf_text(&got), "echo hi\n");
    (void)snprintf(path, sizeof(path), "%s/test/same", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_nlink, 2);
    assert_int_equal(st.st_mode & 0111, 0111 & ~umask(umask(0)));
    (void)close(fd);
    buf_done(&got);
    end_scene(top);
}

static void test_what_could_leave_the_directory_is_refused(void **state)
{
    static const struct member bad[][3] = {
        {{"/tmp/evil_of_test_tar", '0', NULL, "x", 0}},
        {{"../evil", '0', NULL, "x", 0}},
        {{"test/../../evil", '0', NULL, "x", 0}},
        {{"test/..", '5', NULL, NULL, 0}},
        {{"other/file", '0', NULL, "x", 0}},
        {{"file", '0', NULL, "x", 0}},
        {{"testing/file", '0', NULL, "x", 0}},
        {{"test/link", '2', "/etc/passwd", NULL, 0}},
        {{"test/link", '2', "../../evil", NULL, 0}},
        {{"test/link", '2', "a/../../../evil", NULL, 0}},
        {{"test/link", '2', "sub/..", NULL, 0}},
        {{"test/link", '1', "/etc/passwd", NULL, 0}},
        {{"test/link", '1', "../evil", NULL, 0}},
        {{"test/link", '1', "test/missing", NULL, 0}},
        {{"test/device", '3', NULL, NULL, 0}},
        {{"test/pipe", '6', NULL, NULL, 0}},
        {{"test/suid", '0', NULL, "x", 04755}},
        {{"test/sgid", '0', NULL, "x", 02755}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!is_refused(bad[i]))
            fail_msg("member %s (%c) -> %s was not refused", bad[i][0].name, bad[i][0].type,
                     bad[i][0].target ? bad[i][0].target : "-");
}

static void test_nothing_is_written_through_a_link(void **state)
{
    static const struct member through[] = {
        {"test/here", '2', ".", NULL, 0},
        {"test/here/file", '0', NULL, "x", 0},
        {NULL, 0, NULL, NULL, 0},
    };
    static const struct member over[] = {
        {"test/here", '2', "there", NULL, 0},
        {"test/here", '0', NULL, "x", 0},
        {NULL, 0, NULL, NULL, 0},
    };

    (void)state;
    assert_true(is_refused(through));
    assert_true(is_refused(over));
}

static void test_members_are_not_replaced(void **state)
{
    static const struct member twice[] = {
        {"test/a", '0', NULL, "x", 0},
        {"test/a", '0', NULL, "y", 0},
        {NULL, 0, NULL, NULL, 0},
    };

    (void)state;
    assert_true(is_refused(twice));
}

static void test_limits_hold(void **state)
{
    struct member members[30] = {{0}};
    static char big[700000];

    (void)state;
    for (int i = 0; i < 25; i++)
        members[i] = (struct member){"test/d", '5', NULL, NULL, 0};
    assert_true(is_refused(members));
    memset(big, 'x', sizeof(big) - 1);
    memset(members, 0, sizeof(members));
    members[0] = (struct member){"test/a", '0', NULL, big, 0};
    assert_false(is_refused(members));
}

static void test_garbage_is_refused(void **state)
{
    struct err err = ERR_INIT;
    char top[64], dir[80];
    int fd = memfd_create("garbage", MFD_CLOEXEC);

    (void)state;
    make_scene(top, dir);
    assert_int_equal(write(fd, "this is no archive at all, not even nearly", 42), 42);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(unpack(fd, dir, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    (void)close(fd);
    end_scene(top);
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static void test_what_was_packed_comes_out_again(void **state)
{
    static const char *const any[] = {"artifacts", NULL};
    const struct tar_limits wide = {any, 1 << 20, 100};
    struct err err = ERR_INIT;
    struct buf got = BUF_INIT(100);
    char top[64], dir[80], path[200];
    int fd = memfd_create("packed", MFD_CLOEXEC);
    struct tar_packer *packer;
    struct tar_unpacker *unpacker;
    int rc = 1;

    (void)state;
    make_scene(top, dir);
    (void)snprintf(path, sizeof(path), "%s/artifacts/sub", top);
    assert_int_equal(fs_make_dirs(path, &err), 0);
    put(path, "file", "content");
    put(path, "n\xc3\xa4me with blanks", "more");
    (void)snprintf(path, sizeof(path), "%s/artifacts/link", top);
    assert_int_equal(symlink("sub/file", path), 0);
    (void)snprintf(path, sizeof(path), "%s/artifacts/pipe", top);
    assert_int_equal(mkfifo(path, 0600), 0);
    packer = tar_packer_new(top, "artifacts", fd, &err);
    assert_non_null(packer);
    while (rc > 0)
        rc = tar_packer_step(packer, &err);
    assert_int_equal(rc, 0);
    tar_packer_free(packer);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    unpacker = tar_unpacker_new(fd, dir, &wide, &err);
    assert_non_null(unpacker);
    for (rc = 1; rc > 0;)
        rc = tar_unpacker_step(unpacker, &err);
    assert_int_equal(rc, 0);
    tar_unpacker_free(unpacker);
    (void)snprintf(path, sizeof(path), "%s/artifacts/link", dir);
    assert_int_equal(fs_read(path, &got, &err), 0);
    assert_string_equal(buf_text(&got), "content");
    (void)snprintf(path, sizeof(path), "%s/artifacts/sub/n\xc3\xa4me with blanks", dir);
    assert_int_equal(access(path, R_OK), 0);
    (void)snprintf(path, sizeof(path), "%s/artifacts/pipe", dir);
    assert_int_equal(access(path, F_OK), -1);
    buf_done(&got);
    (void)close(fd);
    end_scene(top);
}

static void test_a_full_disk_is_told_from_other_failures(void **state)
{
    struct err err = ERR_INIT;
    char top[64], dir[80];
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct tar_packer *packer;
    int rc = 1;

    (void)state;
    make_scene(top, dir);
    put(dir, "file", "content");
    packer = tar_packer_new(top, "in", fd, &err);
    assert_non_null(packer);
    while (rc > 0)
        rc = tar_packer_step(packer, &err);
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, ERR_FULL);
    tar_packer_free(packer);
    (void)close(fd);
    end_scene(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_members_are_unpacked),
        cmocka_unit_test(test_what_could_leave_the_directory_is_refused),
        cmocka_unit_test(test_nothing_is_written_through_a_link),
        cmocka_unit_test(test_members_are_not_replaced),
        cmocka_unit_test(test_limits_hold),
        cmocka_unit_test(test_garbage_is_refused),
        cmocka_unit_test(test_what_was_packed_comes_out_again),
        cmocka_unit_test(test_a_full_disk_is_told_from_other_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
