/* SPDX-License-Identifier: GPL-3.0-or-later
 * Finds the attachments of the phases that take some, packs them, sends them. */
#include "cli/attachments.h"

#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/session.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/tar_list.h"

#include <stdlib.h>
#include <string.h>

#define ATTACHMENTS_MAX 10000
#define SEND_TRIES      5
#define SEND_PAUSE_MS   1000
#define REPLY_MAX       ((size_t)1 << 20)

/* The phases whose attachments agents unpack, each into a directory of its name. */
static const char *const phases[] = {"provision", "firmware_update", "test"};
#define PHASES (sizeof(phases) / sizeof(phases[0]))

struct list {
    struct tar_entry *entries; /* their texts are ours */
    size_t count;
};

static void list_done(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free((void *)(uintptr_t)list->entries[i].path);
        free((void *)(uintptr_t)list->entries[i].name);
    }
    free(list->entries);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Agents refuse a whole archive for one name that leads out of its directory: better to say so
 * here. */
static int check_name(const char *name, struct err *err)
{
    for (const char *part = name; part; part = strchr(part, '/')) {
        size_t len;

        part += *part == '/';
        len = strcspn(part, "/");
        if (len == 0 || (len == 2 && strncmp(part, "..", 2) == 0))
            return err_set(err, ERR_BAD_REQUEST, "\"%s\" cannot be the name of an attachment",
                           name);
    }
    return 0;
}

static int list_add(struct list *list, char *path, char *name, struct err *err)
{
    struct tar_entry *entries;

    if (path && name && list->count < ATTACHMENTS_MAX) {
        entries = realloc(list->entries, (list->count + 1) * sizeof(*entries));
        if (entries) {
            list->entries = entries;
            entries[list->count++] = (struct tar_entry){path, name};
            return 0;
        }
    }
    free(path);
    free(name);
    return err_set(err, ERR_TOO_LARGE, "too many attachments");
}

/* One item: {"local": path, "agent": name}. */
static int take_item(struct list *list, const char *phase, struct json_object *item,
                     const char *base_dir, struct err *err)
{
    const char *local = jsn_text(item, "local");
    const char *agent = jsn_text(item, "agent");

    if (!local || !*local)
        return err_set(err, ERR_BAD_REQUEST, "an attachment of %s has no \"local\" path", phase);
    if (!agent) {
        agent = base_name(local);
        if (json_object_object_add(item, "agent", json_object_new_string(agent)) < 0)
            return err_set(err, ERR_INTERNAL, "out of memory");
    }
    while (*agent == '/')
        agent++;
    if (check_name(agent, err) < 0 ||
        list_add(list, *local == '/' ? strdup(local) : fs_join(base_dir, local),
                 fs_join(phase, agent), err) < 0)
        return -1;
    json_object_object_del(item, "local");
    return 0;
}

static int take_phase(struct list *list, const char *phase, struct json_object *job,
                      const char *base_dir, struct err *err)
{
    struct json_object *items;
    char section[40];

    (void)snprintf(section, sizeof(section), "%s_data", phase);
    items = jsn_get(jsn_get(job, section), "attachments");
    if (items && !json_object_is_type(items, json_type_array))
        return err_set(err, ERR_BAD_REQUEST, "attachments of %s are no list", section);
    for (size_t i = 0; items && i < json_object_array_length(items); i++)
        if (take_item(list, phase, json_object_array_get_idx(items, i), base_dir, err) < 0)
            return -1;
    return 0;
}

int attachments_pack(struct json_object *job, const char *base_dir, int out_fd, struct err *err)
{
    struct list list = {.count = 0};
    int rc = 0;

    for (size_t i = 0; i < PHASES && rc == 0; i++)
        rc = take_phase(&list, phases[i], job, base_dir, err);
    if (rc == 0)
        rc = tar_pack_list(list.entries, list.count, out_fd, err);
    list_done(&list);
    return rc;
}

int attachments_send(struct session *s, const char *id, const char *path, struct err *err)
{
    struct fetch_reply reply;
    char url_path[JOB_PATH_SIZE];
    int rc = -1;

    (void)job_path(url_path, "/v1/job/", id, "/attachments");
    fetch_reply_init(&reply, REPLY_MAX);
    for (int try = 0; try < SEND_TRIES; try++) {
        struct fetch_request req = {
            .method = "POST", .upload_path = path, .upload_name = "attachments.tar.gz"};
        struct err why = ERR_INIT;

        /* sending twice does no harm: a server that has them answers OK again */
        if (try > 0)
            interrupt_wait_ms(SEND_PAUSE_MS << try);
        rc = session_request(s, url_path, &req, &reply, &why);
        if (rc == 0)
            break;
        *err = why;
        if (fetch_classify(&reply, reply.status ? NULL : &why) != FETCH_RETRY)
            break;
    }
    fetch_reply_done(&reply);
    return rc;
}
