/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connector/qemu_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DISK ((int64_t)5 << 30)

/* A header of version 3 for a disk of DISK bytes. */
static void make_header(unsigned char header[QEMU_HEADER_SIZE])
{
    memset(header, 0, QEMU_HEADER_SIZE);
    memcpy(header, "QFI\xfb", 4);
    header[7] = 3;
    header[27] = 1;    /* 2^32 */
    header[28] = 0x40; /* and 2^30 */
}

static void refused(const void *header, size_t len, int64_t size, const char *said)
{
    struct qemu_image image = {"untouched", 7};
    struct err err = ERR_INIT;

    assert_int_equal(qemu_image_inspect(&image, header, len, size, &err), -1);
    assert_int_equal(err.code, ERR_BAD_REQUEST);
    assert_non_null(strstr(err.text, said));
    assert_string_equal(image.format, "untouched");
}

static void a_qcow2_image_says_how_large_its_disk_is(void **state)
{
    unsigned char header[QEMU_HEADER_SIZE];
    struct qemu_image image;

    (void)state;
    make_header(header);
    assert_int_equal(qemu_image_inspect(&image, header, sizeof(header), 200000, NULL), 0);
    assert_string_equal(image.format, "qcow2");
    assert_int_equal(image.size, DISK);
    header[7] = 2; /* its header is shorter */
    assert_int_equal(qemu_image_inspect(&image, header, 72, 72, NULL), 0);
    assert_int_equal(image.size, DISK);
}

static void a_qcow2_image_that_could_read_other_files_is_refused(void **state)
{
    unsigned char header[QEMU_HEADER_SIZE];

    (void)state;
    for (size_t i = 8; i < 16; i++) { /* wherever the name lies */
        make_header(header);
        header[i] = 1;
        refused(header, sizeof(header), 200000, "backing file");
    }
    make_header(header);
    header[79] = 4;
    refused(header, sizeof(header), 200000, "another file");
    header[7] = 2; /* where that field is not yet: it means nothing */
    assert_int_equal(
        qemu_image_inspect(&(struct qemu_image){0}, header, sizeof(header), 200000, NULL), 0);
}

static void a_qcow2_image_of_no_use_is_refused(void **state)
{
    unsigned char header[QEMU_HEADER_SIZE];

    (void)state;
    make_header(header);
    refused(header, 40, 40, "cut off");
    refused(header, 80, 80, "version");
    header[7] = 4;
    refused(header, sizeof(header), 200000, "version");
    make_header(header);
    header[35] = 2;
    refused(header, sizeof(header), 200000, "encrypted");
    make_header(header);
    header[24] = 0x80;
    refused(header, sizeof(header), 200000, "size");
    make_header(header);
    header[27] = header[28] = 0;
    refused(header, sizeof(header), 200000, "size");
}

static void what_is_compressed_or_of_another_format_is_not_taken_for_raw(void **state)
{
    (void)state;
    refused("\xfd"
            "7zXZ\0rest",
            10, 1000, "xz");
    refused("\x1f\x8b\x08", 3, 1000, "gzip");
    refused("# Disk DescriptorFile\n", 22, 1000, "vmdk");
    refused("KDMV", 4, 1000, "vmdk");
    refused("QED\0", 4, 1000, "qed");
    refused("", 0, 0, "empty");
}

static void anything_else_is_a_raw_disk(void **state)
{
    static const unsigned char zeros[QEMU_HEADER_SIZE];
    struct qemu_image image;

    (void)state;
    assert_int_equal(qemu_image_inspect(&image, zeros, sizeof(zeros), 1000, NULL), 0);
    assert_string_equal(image.format, "raw");
    assert_int_equal(image.size, 1000);
    assert_int_equal(qemu_image_inspect(&image, (const unsigned char *)"QFI", 3, 3, NULL), 0);
    assert_string_equal(image.format, "raw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_qcow2_image_says_how_large_its_disk_is),
        cmocka_unit_test(a_qcow2_image_that_could_read_other_files_is_refused),
        cmocka_unit_test(a_qcow2_image_of_no_use_is_refused),
        cmocka_unit_test(what_is_compressed_or_of_another_format_is_not_taken_for_raw),
        cmocka_unit_test(anything_else_is_a_raw_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
