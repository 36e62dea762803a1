/* SPDX-License-Identifier: GPL-3.0-or-later
 * Failures as texts, and their file. */
#include "connector/failure.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef failure_set
#undef failure_from
#undef failure_from_input

#define FILE_MAX ((size_t)1 << 20)

int failure_set(struct failure *failure, enum failure_kind kind, const struct err *cause,
                const char *format, ...)
{
    va_list args;

    *failure = (struct failure){.kind = kind};
    va_start(args, format);
    (void)vsnprintf(failure->message, sizeof(failure->message), format, args);
    va_end(args);
    if (cause)
        (void)snprintf(failure->cause, sizeof(failure->cause), "%s", cause->text);
    return -1;
}

int failure_from(struct failure *failure, enum failure_kind kind, const struct err *err)
{
    return failure_set(failure, kind, NULL, "%s", err->text);
}

int failure_from_input(struct failure *failure, const struct err *err)
{
    return failure_from(failure, err->code == ERR_BAD_REQUEST ? FAILURE_JOB : FAILURE_CONFIG, err);
}

int failure_status(const struct failure *failure)
{
    if (failure->status)
        return failure->status;
    return failure->kind == FAILURE_RECOVERY ? FAILURE_UNRECOVERABLE : FAILURE_STATUS;
}

static const char *name_of(const struct failure *failure, enum stage stage)
{
    static const char *const names[FAILURE_KINDS] = {
        [FAILURE_RECOVERY] = "RecoveryError",
        [FAILURE_CONFIG] = "ConfigurationError",
        [FAILURE_JOB] = "JobError",
    };

    return names[failure->kind] ? names[failure->kind] : stage_error(stage);
}

/* What the file holds; an empty object if that is nothing of use. */
static struct json_object *read_file(void)
{
    AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
    struct json_object *json = NULL;

    if (fs_read_file(FAILURE_FILE, &text, NULL) == 0)
        (void)jsn_parse(buf_text(&text), text.len, &json, NULL);
    if (json_object_is_type(json, json_type_object))
        return json;
    (void)json_object_put(json);
    return json_object_new_object();
}

/* A text of our own may have been cut inside a character, or quote what a program printed. */
static struct json_object *new_text(const char *text)
{
    AUTO(buf) struct buf quoted = BUF_INIT(8 * FAILURE_TEXT_SIZE);
    struct json_object *json = NULL;

    if (jsn_add_string(&quoted, text, strlen(text)) == 0)
        (void)jsn_parse(buf_text(&quoted), quoted.len, &json, NULL);
    return json;
}

static int add_info(struct json_object *file, const struct failure *failure, enum stage stage,
                    struct err *err)
{
    struct json_object *info = json_object_new_object();
    char key[64];

    if (!info || jsn_set(info, "exception_name", new_text(name_of(failure, stage)), err) < 0 ||
        jsn_set(info, "exception_message", new_text(failure->message), err) < 0 ||
        jsn_set(info, "exception_cause", new_text(failure->cause), err) < 0) {
        (void)json_object_put(info);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    (void)snprintf(key, sizeof(key), "%s_exception_info", stage_name(stage));
    return jsn_set(file, key, info, err);
}

int failure_write(const struct failure *failure, enum stage stage, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(2 * FILE_MAX);
    struct json_object *file = read_file();
    int rc = file ? 0 : err_set(err, ERR_INTERNAL, "out of memory");

    if (rc == 0)
        rc = add_info(file, failure, stage, err);
    if (rc == 0 && jsn_add_tree(&text, file) < 0)
        rc = err_set(err, ERR_TOO_LARGE, "\"%s\" grows too large", FAILURE_FILE);
    if (rc == 0)
        rc = fs_write_atomic(FAILURE_FILE, buf_text(&text), text.len, 0644, err);
    (void)json_object_put(file);
    return rc;
}
