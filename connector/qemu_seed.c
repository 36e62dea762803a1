/* SPDX-License-Identifier: GPL-3.0-or-later
 * Runs ssh-keygen and genisoimage.  The key goes into meta-data, so that user-data are the job's as
 * they are. */
#include "connector/qemu_seed.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "connector/connector.h"
#include "connector/job.h"
#include "connector/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TOOL_MS       (60 * 1000)
#define SAID_MAX      1000
#define KEY_MAX       (16 * 1024)
#define META_MAX      (64 * 1024)
#define USER_DATA_MAX ((size_t)1 << 20)
#define NO_USER_DATA  "#cloud-config\n"

/* Runs a program that works or says why not; output: NULL: not kept. */
static int run_tool(const char *const *argv, struct buf *output, struct stop *stop, struct err *err)
{
    AUTO(buf) struct buf said = BUF_INIT(SAID_MAX);
    const struct process process = {
        .argv = argv, .timeout_ms = TOOL_MS, .output = output ? output : &said, .errors = &said};
    int status;

    if (process_run(&process, stop, &status, err) < 0)
        return -1;
    if (status != 0)
        return err_set(err, ERR_INTERNAL, "%s ended with %d: %s", argv[0], status,
                       process_last_line(&said));
    return 0;
}

void qemu_seed_identity(const struct qemu_config *qemu, char ret_path[QEMU_FILE_SIZE])
{
    qemu_path(qemu, QEMU_KEY, ret_path);
}

static int make_key(const struct qemu_config *qemu, struct stop *stop, struct err *err)
{
    char path[QEMU_FILE_SIZE];
    const char *const argv[] = {"ssh-keygen", "-q",          "-t", "ed25519", "-N", "",
                                "-C",         "testflinger", "-f", path,      NULL};

    qemu_seed_identity(qemu, path);
    return run_tool(argv, NULL, stop, err);
}

static int read_public_key(const struct qemu_config *qemu, struct buf *ret_key, struct stop *stop,
                           struct err *err)
{
    char path[QEMU_FILE_SIZE];
    const char *const argv[] = {
        "ssh-keygen", "-y", "-P", "", "-f", qemu->identity ? qemu->identity : path, NULL};

    qemu_seed_identity(qemu, path);
    if (run_tool(argv, ret_key, stop, err) < 0)
        return -1;
    buf_cut(ret_key, strcspn(buf_text(ret_key), "\n"));
    return 0;
}

static int write_file(const char *dir, const char *name, const char *text, size_t len,
                      struct err *err)
{
    AUTO_FREE char *path = fs_join(dir, name);

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    return fs_write_atomic(path, text, len, 0600, err);
}

/* JSON texts are YAML texts too. */
static int write_meta_data(const char *dir, const char *id, const struct buf *key, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(META_MAX);

    (void)buf_adds(&text, "instance-id: ");
    (void)jsn_add_string(&text, id, strlen(id));
    (void)buf_adds(&text, "\nlocal-hostname: testflinger\npublic-keys:\n  - ");
    (void)jsn_add_string(&text, buf_text(key), key->len);
    (void)buf_addc(&text, '\n');
    if (buf_failed(&text))
        return err_set(err, ERR_TOO_LARGE, "the meta-data are too large");
    return write_file(dir, "meta-data", buf_text(&text), text.len, err);
}

static int write_user_data(const char *dir, const struct job *job, struct err *err)
{
    struct json_object *data = jsn_get(job_section(job, "provision_data"), "user_data");
    const char *text = data ? json_object_get_string(data) : NO_USER_DATA;

    if (data && !json_object_is_type(data, json_type_string))
        return err_set(err, ERR_BAD_REQUEST, "user_data of provision_data must be a text");
    if (strlen(text) > USER_DATA_MAX)
        return err_set(err, ERR_BAD_REQUEST, "user_data of provision_data are too long");
    return write_file(dir, "user-data", text, strlen(text), err);
}

int qemu_seed_make(const struct qemu_config *qemu, const struct run *run, struct err *err)
{
    AUTO(buf) struct buf key = BUF_INIT(KEY_MAX);
    char dir[QEMU_FILE_SIZE], iso[QEMU_FILE_SIZE];
    const char *const argv[] = {"genisoimage",    "-quiet",  "-volid", "cidata", "-joliet",
                                "-rational-rock", "-output", iso,      dir,      NULL};

    qemu_path(qemu, QEMU_SEED_DIR, dir);
    qemu_path(qemu, QEMU_SEED, iso);
    if ((!qemu->identity && make_key(qemu, run->stop, err) < 0) ||
        read_public_key(qemu, &key, run->stop, err) < 0)
        return -1;
    if (mkdir(dir, 0700) < 0)
        return err_set_errno(err, errno, "could not make \"%s\"", dir);
    if (write_meta_data(dir, job_id(run->job), &key, err) < 0 ||
        write_user_data(dir, run->job, err) < 0)
        return -1;
    return run_tool(argv, NULL, run->stop, err);
}
