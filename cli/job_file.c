/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads the file and decides between the two formats.  JSON is tried first where the text looks
 * like it: YAML readers know neither its pairs of \u escapes nor tabs for indentation. */
#include "cli/job_file.h"

#include "common/buf.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/yaml.h"

#include <string.h>

static int parse(const struct buf *text, struct json_object **ret_job, struct err *err)
{
    const char *data = buf_text(text);
    struct json_object *job = NULL;

    if (data[strspn(data, " \t\r\n")] != '{' || jsn_parse(data, text->len, &job, NULL) < 0) {
        if (yml_parse(data, text->len, &job, err) < 0)
            return -1;
    }
    if (!json_object_is_type(job, json_type_object)) {
        (void)json_object_put(job);
        return err_set(err, ERR_BAD_REQUEST, "a job must be a mapping of names to values");
    }
    *ret_job = job;
    return 0;
}

int job_file_read(const char *path, struct json_object **ret_job, struct err *err)
{
    bool from_stdin = strcmp(path, "-") == 0;
    struct buf text = BUF_INIT(YML_TEXT_MAX);
    int rc = fs_read(from_stdin ? "/dev/stdin" : path, &text, err);

    if (rc == 0 && parse(&text, ret_job, err) < 0)
        rc = err_prefix(err, "%s", from_stdin ? "standard input" : path);
    buf_done(&text);
    return rc;
}
