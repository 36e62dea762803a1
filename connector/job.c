/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads the job's file. */
#include "connector/job.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"

#define FILE_MAX ((size_t)64 << 20)

int job_load(struct job *job, const char *path, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
    struct json_object *tree = NULL;

    if (fs_read_file(path, &text, err) < 0)
        return -1;
    if (jsn_parse(buf_text(&text), text.len, &tree, err) < 0)
        return err_prefix(err, "job \"%s\"", path);
    if (!json_object_is_type(tree, json_type_object)) {
        (void)json_object_put(tree);
        return err_set(err, ERR_INVALID, "job \"%s\" is no JSON object", path);
    }
    job->tree = tree;
    return 0;
}

void job_done(struct job *job)
{
    (void)json_object_put(job->tree);
    job->tree = NULL;
}

struct json_object *job_section(const struct job *job, const char *name)
{
    struct json_object *section = jsn_get(job->tree, name);

    return json_object_is_type(section, json_type_object) ? section : NULL;
}

const char *job_id(const struct job *job)
{
    const char *id = jsn_text(job->tree, "job_id");

    return id ? id : "";
}

const char *job_username(const struct job *job)
{
    const char *name = jsn_text(job_section(job, "test_data"), "test_username");

    return name && *name ? name : NULL;
}

const char *job_password(const struct job *job)
{
    const char *password = jsn_text(job_section(job, "test_data"), "test_password");

    return password && *password ? password : NULL;
}
