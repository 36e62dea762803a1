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

static int copy_keys(const struct ssh *ssh, struct err *err)
{
    return ssh_add_keys(ssh, KEY_FILE, COPY_MS, err);
}

/* Tells what became of a key; -1 if the stage is to end. */
static int tell(const struct run *run, const char *name, int rc, const struct err *err,
                struct err *ret_err)
{
    if (rc < 0 && stop_asked(run->stop))
        return stop_error(run->stop, ret_err);
    if (rc < 0)
        (void)printf("the ssh key %s cannot be used: %s\n", name, err->text);
    else
        (void)printf("the ssh key %s may log in\n", name);
    return 0;
}

static int add_imported(const struct run *run, const struct ssh *ssh, int64_t pause_ms,
                        struct err *err)
{
    struct json_object *keys = jsn_get(job_section(run->job, "reserve_data"), "ssh_keys");
    size_t count = json_object_is_type(keys, json_type_array) ? json_object_array_length(keys) : 0;

    for (size_t i = 0; i < count && i < KEYS_MAX; i++) {
        struct json_object *item = json_object_array_get_idx(keys, i);
        const char *name = item ? json_object_get_string(item) : NULL;
        struct err why = ERR_INIT;
        int rc;

        if (!is_import_name(name))
            rc = err_set(&why, ERR_INVALID, "it is neither lp:NAME nor gh:NAME");
        else
            rc = import_key(run, name, pause_ms, &why);
        if (rc == 0)
            rc = copy_keys(ssh, &why);
        if (tell(run, name ? name : "null", rc, &why, err) < 0)
            return -1;
    }
    return 0;
}

/* The lab's own: one file for all of them. */
static int add_configured(const struct run *run, const struct ssh *ssh, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT((size_t)1 << 20);
    struct json_object *keys = config_get(run->config, "ssh_authorized_keys");
    struct err why = ERR_INIT;
    int rc;

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
    rc = fs_write_atomic(KEY_FILE, buf_text(&text), text.len, 0644, &why);
    if (rc == 0)
        rc = copy_keys(ssh, &why);
    return tell(run, "of the lab", rc, &why, err);
}

int keys_add(const struct run *run, const struct ssh *ssh, struct err *err)
{
    int64_t pause_ms;

    if (config_duration_ms(run->config, "ssh_import_pause", PAUSE_DEFAULT_MS, PAUSE_MAX_MS,
                           &pause_ms, err) < 0 ||
        add_configured(run, ssh, err) < 0 || add_imported(run, ssh, pause_ms, err) < 0)
        return -1;
    (void)unlink(KEY_FILE);
    return 0;
}
