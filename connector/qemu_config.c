/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads and checks the keys that describe a virtual machine. */
#include "connector/qemu_config.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "connector/config.h"
#include "connector/connector.h"
#include "connector/job.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define STATE_DIR_DEFAULT "/var/lib/testflinger-agent/qemu"
#define SUBDIRECTORY      "qemu-vm"
#define DAY_MS            ((int64_t)24 * 3600 * 1000)
#define MIB_MAX           ((int64_t)1 << 30)

static const struct {
    const char *key;
    int64_t fallback, min, max;
    size_t offset;
} numbers[] = {
    {"memory", 1024, 16, MIB_MAX, offsetof(struct qemu_config, memory_mib)},
    {"cpus", 1, 1, 1024, offsetof(struct qemu_config, cpus)},
    {"image_max", 16384, 1, MIB_MAX, offsetof(struct qemu_config, image_max_mib)},
    {"disk_size", 0, 0, MIB_MAX, offsetof(struct qemu_config, disk_size_mib)},
    {"disk_max", 65536, 1, MIB_MAX, offsetof(struct qemu_config, disk_max_mib)},
};

static const struct {
    const char *key;
    int64_t fallback_ms;
    size_t offset;
} durations[] = {
    {"boot_timeout", 300 * 1000, offsetof(struct qemu_config, boot_timeout_ms)},
    {"download_timeout", 3600 * 1000, offsetof(struct qemu_config, download_timeout_ms)},
};

static const struct {
    const char *key, *fallback;
    size_t offset;
} texts[] = {
    {"qemu_binary", "qemu-system-x86_64", offsetof(struct qemu_config, binary)},
    {"accel", "auto", offsetof(struct qemu_config, accel)},
    {"machine", NULL, offsetof(struct qemu_config, machine)},
    {"cpu_model", "max", offsetof(struct qemu_config, cpu_model)},
    {"kernel", NULL, offsetof(struct qemu_config, kernel)},
    {"initrd", NULL, offsetof(struct qemu_config, initrd)},
    {"append", NULL, offsetof(struct qemu_config, append)},
    {"ssh_identity", NULL, offsetof(struct qemu_config, identity)},
};

#define FIELD(qemu, offset, type) ((type *)(void *)((char *)(qemu) + (offset)))

static int read_numbers(struct qemu_config *qemu, const struct config *config, struct err *err)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        int64_t *field = FIELD(qemu, numbers[i].offset, int64_t);

        if (config_number(config, numbers[i].key, numbers[i].fallback, numbers[i].max, field, err) <
            0)
            return -1;
        if (*field < numbers[i].min)
            return err_set(err, ERR_INVALID, "%s in the configuration must be at least %" PRId64,
                           numbers[i].key, numbers[i].min);
    }
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        int64_t *field = FIELD(qemu, durations[i].offset, int64_t);

        if (config_duration_ms(config, durations[i].key, durations[i].fallback_ms, DAY_MS, field,
                               err) < 0)
            return -1;
        if (*field < 1000)
            return err_set(err, ERR_INVALID, "%s in the configuration must be at least a second",
                           durations[i].key);
    }
    return 0;
}

static int read_texts(struct qemu_config *qemu, const struct config *config, struct err *err)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = config_text(config, texts[i].key);

        if (!text && config_get(config, texts[i].key))
            return err_set(err, ERR_INVALID, "%s in the configuration must be a text",
                           texts[i].key);
        *FIELD(qemu, texts[i].offset, const char *) = text ? text : texts[i].fallback;
    }
    if (strcmp(qemu->accel, "auto") != 0 && strcmp(qemu->accel, "kvm") != 0 &&
        strcmp(qemu->accel, "tcg") != 0)
        return err_set(err, ERR_INVALID,
                       "accel in the configuration must be auto, kvm or tcg, not \"%.100s\"",
                       qemu->accel);
    if (!qemu->kernel && (qemu->initrd || qemu->append))
        return err_set(err, ERR_INVALID, "%s in the configuration is of no use without kernel",
                       qemu->initrd ? "initrd" : "append");
    return 0;
}

static int read_network(struct qemu_config *qemu, const struct config *config, struct err *err)
{
    struct json_object *value = config_get(config, "restrict_network");

    if (value && !json_object_is_type(value, json_type_boolean))
        return err_set(err, ERR_INVALID,
                       "restrict_network in the configuration must be true or false");
    qemu->restrict_network = value && json_object_get_boolean(value);
    return 0;
}

static int read_extra_args(struct qemu_config *qemu, const struct config *config, struct err *err)
{
    struct json_object *list = config_get(config, "extra_args");
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    if (list && (!json_object_is_type(list, json_type_array) || count > QEMU_ARGS_MAX))
        return err_set(err, ERR_INVALID,
                       "extra_args in the configuration must be a list of at most %d texts",
                       QEMU_ARGS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!json_object_is_type(json_object_array_get_idx(list, i), json_type_string))
            return err_set(err, ERR_INVALID, "extra_args in the configuration: item %zu is no text",
                           i + 1);
    qemu->extra_args = list;
    return 0;
}

/* A directory for each device, which two of them must not share. */
static int default_dir(const struct config *config, struct buf *ret_path, struct err *err)
{
    const char *name = config_text(config, "agent_name");

    if (!name || strchr(name, '/') || name[0] == '.')
        return err_set(err, ERR_INVALID,
                       "the configuration needs state_dir, or an agent_name to name it by");
    (void)buf_addf(ret_path, STATE_DIR_DEFAULT "/%s", name);
    return 0;
}

static int read_state_dir(struct qemu_config *qemu, const struct config *config, struct err *err)
{
    AUTO(buf) struct buf path = BUF_INIT(4096);
    const char *text = config_text(config, "state_dir");
    AUTO_FREE char *real = NULL;

    if (text)
        (void)buf_adds(&path, text);
    else if (default_dir(config, &path, err) < 0)
        return -1;
    if (buf_failed(&path) || buf_text(&path)[0] != '/')
        return err_set(err, ERR_INVALID, "state_dir in the configuration must be an absolute path");
    if (fs_make_dirs(buf_text(&path), err) < 0)
        return err_prefix(err, "state_dir");
    /* one name for it, whatever links lead there: machines are found by it */
    real = realpath(buf_text(&path), NULL);
    if (!real)
        return err_set(err, ERR_INVALID, "state_dir \"%s\" cannot be resolved", buf_text(&path));
    if (strlen(real) + sizeof("/" SUBDIRECTORY "/") + QEMU_NAME_MAX > QEMU_PATH_SIZE)
        return err_set(err, ERR_INVALID, "state_dir \"%s\" is too long for the sockets in it",
                       real);
    if (strchr(real, ',')) /* options of qemu end there */
        return err_set(err, ERR_INVALID, "state_dir \"%s\" must not have a comma", real);
    (void)snprintf(qemu->state_dir, sizeof(qemu->state_dir), "%s", real);
    (void)snprintf(qemu->dir, sizeof(qemu->dir), "%s/" SUBDIRECTORY, real);
    return 0;
}

/* An option of qemu would end at a comma. */
static void make_name(struct qemu_config *qemu, const char *job_id)
{
    (void)snprintf(qemu->name, sizeof(qemu->name), "job-%s", job_id);
    for (char *c = qemu->name; *c; c++)
        if (*c == ',')
            *c = '_';
}

int qemu_config_read(struct qemu_config *qemu, const struct run *run, struct err *err)
{
    const struct config *config = run->config;

    *qemu = (struct qemu_config){0};
    make_name(qemu, job_id(run->job));
    if (read_numbers(qemu, config, err) < 0 || read_texts(qemu, config, err) < 0 ||
        read_network(qemu, config, err) < 0 || read_extra_args(qemu, config, err) < 0)
        return -1;
    if (qemu->disk_size_mib > qemu->disk_max_mib)
        return err_set(err, ERR_INVALID,
                       "disk_size in the configuration is larger than disk_max (%" PRId64 " MiB)",
                       qemu->disk_max_mib);
    return read_state_dir(qemu, config, err);
}

void qemu_path(const struct qemu_config *qemu, const char *name, char ret_path[QEMU_FILE_SIZE])
{
    int len = snprintf(ret_path, QEMU_FILE_SIZE, "%s/%s", qemu->dir, name);

    assert(len > 0 && len < QEMU_FILE_SIZE);
}
