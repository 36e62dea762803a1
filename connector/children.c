/* SPDX-License-Identifier: GPL-3.0-or-later
 * The list and its file. */
#include "connector/children.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"

#define FILE_MAX ((size_t)16 << 20)

int children_init(struct children *children, struct err *err)
{
    children->list = json_object_new_array();
    return children->list ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

void children_done(struct children *children)
{
    (void)json_object_put(children->list);
    children->list = NULL;
}

int children_load(struct children *children, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
    struct json_object *list = NULL;
    struct err why = ERR_INIT;

    if (fs_read_file(CHILDREN_FILE, &text, &why) < 0) {
        if (why.code == ERR_NOT_FOUND)
            return children_init(children, err);
        *err = why;
        return -1;
    }
    if (jsn_parse(buf_text(&text), text.len, &list, err) < 0)
        return err_prefix(err, "\"%s\"", CHILDREN_FILE);
    if (!json_object_is_type(list, json_type_array)) {
        (void)json_object_put(list);
        return err_set(err, ERR_INVALID, "\"%s\" is no list", CHILDREN_FILE);
    }
    children->list = list;
    return 0;
}

int children_save(const struct children *children, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);

    if (jsn_add_tree(&text, children->list) < 0)
        return err_set(err, ERR_TOO_LARGE, "the list of jobs is too large");
    return fs_write_atomic(CHILDREN_FILE, buf_text(&text), text.len, 0644, err);
}

size_t children_count(const struct children *children)
{
    return json_object_array_length(children->list);
}

static struct json_object *child_at(const struct children *children, size_t i)
{
    return json_object_array_get_idx(children->list, i);
}

int children_add(struct children *children, const char *job_id, struct err *err)
{
    struct json_object *child = json_object_new_object();

    if (!child || jsn_set(child, "job_id", json_object_new_string(job_id), err) < 0 ||
        jsn_set(child, "device_info", NULL, err) < 0 ||
        json_object_array_add(children->list, child) < 0) {
        (void)json_object_put(child);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    return 0;
}

int children_set_info(struct children *children, size_t i, struct json_object *info,
                      struct err *err)
{
    return jsn_set(child_at(children, i), "device_info", json_object_get(info), err);
}

const char *children_id(const struct children *children, size_t i)
{
    const char *id = jsn_text(child_at(children, i), "job_id");

    return id ? id : "";
}

static struct json_object *info_at(const struct children *children, size_t i)
{
    return jsn_get(child_at(children, i), "device_info");
}

const char *children_device_ip(const struct children *children, size_t i)
{
    const char *ip = jsn_text(info_at(children, i), "device_ip");

    return ip ? ip : "";
}

int64_t children_ssh_port(const struct children *children, size_t i)
{
    int64_t port = jsn_int(info_at(children, i), "ssh_port", 0);

    return port > 0 && port <= 65535 ? port : 0;
}
