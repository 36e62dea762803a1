/* SPDX-License-Identifier: GPL-3.0-or-later
 * The image is looked at here and not by qemu-img, which opens the other files an image may name
 * (backing files, data files, extents) before it tells of them. */
#include "connector/qemu_image.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "connector/connector.h"
#include "connector/job.h"
#include "connector/process.h"
#include "connector/qemu_download.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define ATTACHMENTS "attachments/provision"
#define CREATE_MS   (60 * 1000)
#define DIGEST_MS   (3600 * 1000)
#define SAID_MAX    1000
#define DIGEST_LEN  64
#define MIB         ((int64_t)1 << 20)

/* The fields of a qcow2 header that count here (docs/interop/qcow2.txt of qemu). */
#define QCOW2_MAGIC        "QFI\xfb"
#define QCOW2_VERSION      4
#define QCOW2_BACKING      8
#define QCOW2_SIZE         24
#define QCOW2_CRYPT        32
#define QCOW2_INCOMPATIBLE 72
#define QCOW2_V2_LEN       72
#define QCOW2_EXTERNAL     0x4u /* the data lie in another file */

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;

    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

static int inspect_qcow2(struct qemu_image *image, const unsigned char *header, size_t len,
                         struct err *err)
{
    uint64_t version, size;

    if (len < QCOW2_V2_LEN)
        return err_set(err, ERR_BAD_REQUEST, "the image is cut off");
    version = big_endian(header + QCOW2_VERSION, 4);
    size = big_endian(header + QCOW2_SIZE, 8);
    if ((version != 2 && version != 3) || (version == 3 && len < QEMU_HEADER_SIZE))
        return err_set(err, ERR_BAD_REQUEST, "the image is no qcow2 of version 2 or 3");
    if (big_endian(header + QCOW2_BACKING, 8) != 0)
        return err_set(err, ERR_BAD_REQUEST, "the image has a backing file");
    if (version == 3 && (big_endian(header + QCOW2_INCOMPATIBLE, 8) & QCOW2_EXTERNAL))
        return err_set(err, ERR_BAD_REQUEST, "the image keeps its data in another file");
    if (big_endian(header + QCOW2_CRYPT, 4) != 0)
        return err_set(err, ERR_BAD_REQUEST, "the image is encrypted");
    if (size == 0 || size > INT64_MAX)
        return err_set(err, ERR_BAD_REQUEST, "the image is no disk of a possible size");
    *image = (struct qemu_image){"qcow2", (int64_t)size};
    return 0;
}

/* What would be taken for a raw disk and is none. */
static const char *other_format(const unsigned char *header, size_t len)
{
    static const struct {
        const char *name, *magic;
        size_t len;
    } others[] = {
        {"compressed by xz",
         "\xfd"
         "7zXZ",
         5},
        {"compressed by gzip", "\x1f\x8b", 2},
        {"compressed by bzip2", "BZh", 3},
        {"compressed by zstd", "\x28\xb5\x2f\xfd", 4},
        {"a zip archive", "PK\x03\x04", 4},
        {"of format vmdk", "KDMV", 4},
        {"of format vmdk", "# Disk Desc", 11},
        {"of format vhdx", "vhdxfile", 8},
        {"of format qed", "QED\0", 4},
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (len >= others[i].len && memcmp(header, others[i].magic, others[i].len) == 0)
            return others[i].name;
    return NULL;
}

int qemu_image_inspect(struct qemu_image *image, const unsigned char *header, size_t len,
                       int64_t file_size, struct err *err)
{
    const char *other = other_format(header, len);

    if (other)
        return err_set(err, ERR_BAD_REQUEST, "the image is %s, neither raw nor qcow2", other);
    if (len >= 4 && memcmp(header, QCOW2_MAGIC, 4) == 0)
        return inspect_qcow2(image, header, len, err);
    if (file_size == 0)
        return err_set(err, ERR_BAD_REQUEST, "the image is empty");
    *image = (struct qemu_image){"raw", file_size};
    return 0;
}

static int inspect_file(const char *path, struct qemu_image *image, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    unsigned char header[QEMU_HEADER_SIZE];
    struct stat status;
    ssize_t n;

    if (fd < 0 || fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "could not open the image");
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_BAD_REQUEST, "the image is no file");
    n = pread(fd, header, sizeof(header), 0);
    if (n < 0)
        return err_set_errno(err, errno, "could not read the image");
    return qemu_image_inspect(image, header, (size_t)n, status.st_size, err);
}

/* --- where it comes from -------------------------------------------------------------- */

/* The attachment's real path, which must lie among the attachments of the phase. */
static int find_attachment(const struct run *run, const char *name, char **ret_path,
                           struct err *err)
{
    AUTO(buf) struct buf path = BUF_INIT(PATH_MAX);
    AUTO_FREE char *top = NULL;
    AUTO_FREE char *found = NULL;

    (void)buf_addf(&path, "%s/" ATTACHMENTS, run->dir);
    top = realpath(buf_text(&path), NULL);
    (void)buf_addf(&path, "/%s", name);
    found = top && !buf_failed(&path) ? realpath(buf_text(&path), NULL) : NULL;
    if (!found || strncmp(found, top, strlen(top)) != 0 || found[strlen(top)] != '/')
        return err_set(err, ERR_BAD_REQUEST, "the job has no attachment provision/%.200s", name);
    *ret_path = take_ptr(&found);
    return 0;
}

static int find_image(const struct qemu_config *qemu, const struct run *run,
                      struct json_object *data, char **ret_path, struct err *err)
{
    const char *url = jsn_text(data, "url");
    const char *attachment = jsn_text(data, "use_attachment");
    char path[QEMU_FILE_SIZE];

    if (!url == !attachment)
        return err_set(err, ERR_BAD_REQUEST,
                       "provision_data must have url or use_attachment, and not both");
    if (attachment)
        return find_attachment(run, attachment, ret_path, err);
    qemu_path(qemu, QEMU_IMAGE, path);
    if (qemu_download(url, path, qemu->image_max_mib * MIB, qemu->download_timeout_ms, run->stop,
                      err) < 0)
        return -1;
    *ret_path = strdup(path);
    return *ret_path ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

static int check_digest(const char *path, const char *digest, struct stop *stop, struct err *err)
{
    AUTO(buf) struct buf said = BUF_INIT(SAID_MAX);
    const char *const argv[] = {"sha256sum", "--", path, NULL};
    const struct process process = {.argv = argv, .timeout_ms = DIGEST_MS, .output = &said};
    const char *text;
    int status;

    if (strlen(digest) != DIGEST_LEN)
        return err_set(err, ERR_BAD_REQUEST, "sha256 of provision_data is no such digest");
    if (process_run(&process, stop, &status, err) < 0)
        return -1;
    text = buf_text(&said);
    if (*text == '\\') /* the path has characters that are escaped */
        text++;
    if (status != 0 || strncasecmp(text, digest, DIGEST_LEN) != 0)
        return err_set(err, ERR_BAD_REQUEST, "the image has another sha256: %.*s", DIGEST_LEN,
                       text);
    return 0;
}

/* --- the machine's own disk ----------------------------------------------------------- */

static int create_disk(const struct qemu_config *qemu, const char *base,
                       const struct qemu_image *image, struct stop *stop, struct err *err)
{
    AUTO(buf) struct buf said = BUF_INIT(SAID_MAX);
    char disk[QEMU_FILE_SIZE], size[32];
    const char *const argv[] = {"qemu-img", "create", "-q", "-f", "qcow2", "-F", image->format,
                                "-b",       base,     "--", disk, size,    NULL};
    const struct process process = {
        .argv = argv, .timeout_ms = CREATE_MS, .output = &said, .errors = &said};
    int64_t bytes = qemu->disk_size_mib * MIB;
    int status;

    if (bytes < image->size)
        bytes = image->size;
    /* of a raw image that ends inside a sector, none may be lost */
    (void)snprintf(size, sizeof(size), "%" PRId64, (bytes + 511) / 512 * 512);
    qemu_path(qemu, QEMU_DISK, disk);
    if (process_run(&process, stop, &status, err) < 0)
        return -1;
    if (status != 0)
        return err_set(err, ERR_INTERNAL, "qemu-img ended with %d: %s", status,
                       process_last_line(&said));
    return 0;
}

int qemu_image_prepare(const struct qemu_config *qemu, const struct run *run, struct err *err)
{
    struct json_object *data = job_section(run->job, "provision_data");
    const char *digest = jsn_text(data, "sha256");
    AUTO_FREE char *path = NULL;
    struct qemu_image image;

    if (find_image(qemu, run, data, &path, err) < 0 ||
        (digest && check_digest(path, digest, run->stop, err) < 0) ||
        inspect_file(path, &image, err) < 0)
        return -1;
    if (image.size > qemu->disk_max_mib * MIB)
        return err_set(err, ERR_BAD_REQUEST,
                       "the image is a disk of %" PRId64 " MiB, more than disk_max (%" PRId64
                       " MiB) allows",
                       image.size / MIB, qemu->disk_max_mib);
    (void)printf("the image is a disk of %" PRId64 " MiB in format %s\n", image.size / MIB,
                 image.format);
    return create_disk(qemu, path, &image, run->stop, err);
}
