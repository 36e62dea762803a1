/* SPDX-License-Identifier: GPL-3.0-or-later
 * Keys are fetched by ssh-import-id, which asks the sites where people keep theirs. */
#include "connector/keys.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "connector/config.h"
#include "connector/job.h"
#include "connector/process.h"
#include "connector/ssh.h"
#include "connector/stop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE         "reserve-key.pub"
#define KEYS_MAX         100
#define IMPORT_TRIES     10
#define IMPORT_MS        30000
#define COPY_MS          60000
#define PAUSE_DEFAULT_MS 3000
#define PAUSE_MAX_MS     (600 * 1000)
#define SAID_MAX         300

struct devices {
    const struct ssh *ssh;
    size_t count;
    int64_t import_pause_ms;
};

static int import_once(const struct run *run, const char *name, struct err *err)
{
    AUTO(buf) struct buf said = BUF_INIT(SAID_MAX);
    const char *const argv[] = {"ssh-import-id", "-o", KEY_FILE, "--", name, NULL};
    const struct process process = {
        .argv = argv, .timeout_ms = IMPORT_MS, .output = &said, .errors = &said};
    int status;

    if (unlink(KEY_FILE) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "could not remove \"%s\"", KEY_FILE);
    if (process_run(&process, run->stop, &status, err) < 0)
        return -1;
    if (status != 0)
        return err_set(err, ERR_UPSTREAM, "ssh-import-id ended with %d: %s", status,
                       process_last_line(&said));
    return 0;
}

static int import_key(const struct run *run, const char *name, int64_t pause_ms, struct err *err)
{
    for (int try = 1;; try++) {
        struct err why = ERR_INIT;

        if (import_once(run, name, &why) == 0)
            return 0;
        if (try >= IMPORT_TRIES || why.code == ERR_NOT_FOUND || stop_wait(run->stop, pause_ms)) {
            *err = why;
            return -1;
        }
    }
}

/* Before ssh-import-id is asked: the server has checked it, but who knows where a job came from. */
static bool is_import_name(const char *name)
{
    return name && (strncmp(name, "lp:", 3) == 0 || strncmp(name, "gh:", 3) == 0) && name[3] &&
           !strpbrk(name, " \t\r\n");
}

/* Tells what became of a key; -1 if the stage is to end. */
static int tell(const struct run *run, const char *name, const struct ssh *device,
                const struct err *why, struct err *err)
{
    if (why && stop_asked(run->stop))
        return stop_error(run->stop, err);
    (void)printf("the ssh key %s %s%s%s%s%s\n", name, why ? "cannot be used" : "may log in",
                 device ? " on " : "", device ? device->host : "", why ? ": " : "",
                 why ? why->text : "");
    return 0;
}

/* The keys in our file, to every device. */
static int copy_keys(const struct run *run, const char *name, const struct devices *devices,
                     struct err *err)
{
    for (size_t i = 0; i < devices->count; i++) {
        struct err why = ERR_INIT;
        int rc = ssh_add_keys(&devices->ssh[i], KEY_FILE, COPY_MS, &why);

        if (tell(run, name, &devices->ssh[i], rc < 0 ? &why : NULL, err) < 0)
            return -1;
    }
    return 0;
}

static int add_imported_key(const struct run *run, struct json_object *item,
                            const struct devices *devices, struct err *err)
{
    const char *name = item ? json_object_get_string(item) : "null";
    struct err why = ERR_INIT;
    int rc;

    if (!is_import_name(name))
        rc = err_set(&why, ERR_INVALID, "it is neither lp:NAME nor gh:NAME");
    else
        rc = import_key(run, name, devices->import_pause_ms, &why);
    return rc < 0 ? tell(run, name, NULL, &why, err) : copy_keys(run, name, devices, err);
}

static int add_imported(const struct run *run, const struct devices *devices, struct err *err)
{
    struct json_object *keys = jsn_get(job_section(run->job, "reserve_data"), "ssh_keys");
    size_t count = json_object_is_type(keys, json_type_array) ? json_object_array_length(keys) : 0;

    if (count > KEYS_MAX)
        (void)printf("of %zu ssh keys only the first %d are used\n", count, KEYS_MAX);
    for (size_t i = 0; i < count && i < KEYS_MAX; i++)
        if (add_imported_key(run, json_object_array_get_idx(keys, i), devices, err) < 0)
            return -1;
    return 0;
}

/* The lab's own: one file for all of them. */
static int add_configured(const struct run *run, const struct devices *devices, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT((size_t)1 << 20);
    struct json_object *keys = config_get(run->config, "ssh_authorized_keys");

    if (!keys)
        return 0;
    if (!json_object_is_type(keys, json_type_array))
        return err_set(err, ERR_INVALID,
                       "ssh_authorized_keys of the configuration is no list of public keys");
    for (size_t i = 0; i < json_object_array_length(keys); i++) {
        struct json_object *key = json_object_array_get_idx(keys, i);

        if (!json_object_is_type(key, json_type_string))
            return err_set(err, ERR_INVALID,
                           "ssh_authorized_keys of the configuration has an item that is no text");
        (void)buf_addf(&text, "%s\n", json_object_get_string(key));
    }
    if (fs_write_atomic(KEY_FILE, buf_text(&text), text.len, 0644, err) < 0)
        return -1;
    return copy_keys(run, "of the lab", devices, err);
}

int keys_add(const struct run *run, const struct ssh *devices, size_t count, struct err *err)
{
    struct devices all = {.ssh = devices, .count = count};

    if (config_duration_ms(run->config, "ssh_import_pause", PAUSE_DEFAULT_MS, PAUSE_MAX_MS,
                           &all.import_pause_ms, err) < 0 ||
        add_configured(run, &all, err) < 0 || add_imported(run, &all, err) < 0)
        return -1;
    (void)unlink(KEY_FILE);
    return 0;
}
