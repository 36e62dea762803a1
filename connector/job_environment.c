/* SPDX-License-Identifier: GPL-3.0-or-later
 * Walks the job; the name grows and shrinks on the way. */
#include "connector/job_environment.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "connector/environment.h"

#include <stdio.h>
#include <string.h>

#define PREFIX    "TESTFLINGER"
#define NAME_SIZE 256
#define VALUE_MAX ((size_t)64 << 10)
#define TOTAL_MAX ((size_t)512 << 10) /* of 2 MiB that the kernel takes, arguments and all */
#define COUNT_MAX 10000 /* half of what an environment holds: there are others who set some */
#define TOLD_MAX  20
#define SECRETS   "secrets"

struct walk {
    struct environment *environment;
    struct buf name;
    size_t total;
    size_t count;
    size_t left_out;
};

/* The name cannot be shown more faithfully than it is: the key may be anything. */
static void left_out(struct walk *walk, const char *why)
{
    if (walk->left_out++ >= TOLD_MAX)
        return;
    (void)fprintf(stderr, "testflinger-device-connector: no variable %s: %s\n",
                  buf_text(&walk->name), why);
}

static void add_part(struct buf *name, const char *key, size_t len)
{
    (void)buf_addc(name, '_');
    for (size_t i = 0; i < len; i++) {
        char c = key[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        else if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            c = '_';
        (void)buf_addc(name, c);
    }
}

static int add_leaf(struct walk *walk, struct json_object *value, struct err *err)
{
    const char *text = json_object_get_string(value);
    size_t len = strlen(text);

    if (buf_failed(&walk->name)) {
        left_out(walk, "its name is too long");
        return 0;
    }
    if (json_object_is_type(value, json_type_string) &&
        (size_t)json_object_get_string_len(value) != len) {
        left_out(walk, "a variable cannot hold U+0000");
        return 0;
    }
    if (len > VALUE_MAX || walk->total + walk->name.len + len > TOTAL_MAX) {
        left_out(walk, "its value is too long");
        return 0;
    }
    if (walk->count == COUNT_MAX) {
        left_out(walk, "the job has too many values");
        return 0;
    }
    if (environment_has(walk->environment, buf_text(&walk->name))) {
        left_out(walk, "the name is taken");
        return 0;
    }
    walk->count++;
    walk->total += walk->name.len + len;
    return environment_set(walk->environment, buf_text(&walk->name), text, err);
}

static int add_value(struct walk *walk, struct json_object *value, struct err *err);

/* The value under a key, with the name as it was afterwards. */
static int add_member(struct walk *walk, const char *key, size_t len, struct json_object *value,
                      struct err *err)
{
    size_t before = walk->name.len;
    bool too_long = walk->name.failed; /* already: then so is what is below */
    int rc;

    add_part(&walk->name, key, len);
    rc = add_value(walk, value, err);
    buf_cut(&walk->name, before);
    walk->name.failed = too_long;
    return rc;
}

static int add_object(struct walk *walk, struct json_object *object, struct err *err)
{
    json_object_object_foreach(object, key, value)
    {
        if (strcmp(key, SECRETS) != 0 && add_member(walk, key, strlen(key), value, err) < 0)
            return -1;
    }
    return 0;
}

static int add_list(struct walk *walk, struct json_object *list, struct err *err)
{
    char number[24];

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        int len = snprintf(number, sizeof(number), "%zu", i);

        if (add_member(walk, number, (size_t)len, json_object_array_get_idx(list, i), err) < 0)
            return -1;
    }
    return 0;
}

/* A document is at most JSN_DEPTH_MAX deep. */
static int add_value(struct walk *walk, struct json_object *value, struct err *err)
{
    if (!value)
        return 0;
    if (json_object_is_type(value, json_type_object))
        return add_object(walk, value, err);
    if (json_object_is_type(value, json_type_array))
        return add_list(walk, value, err);
    return add_leaf(walk, value, err);
}

int job_environment_add(struct environment *environment, struct json_object *job, struct err *err)
{
    struct walk walk = {.environment = environment, .name = BUF_INIT(NAME_SIZE)};
    int rc = 0;

    (void)buf_adds(&walk.name, PREFIX);
    json_object_object_foreach(job, key, value)
    {
        size_t len = strlen(key);

        if (len > 5 && strcmp(key + len - 5, "_data") == 0)
            len -= 5;
        if (rc == 0)
            rc = add_member(&walk, key, len, value, err);
    }
    buf_done(&walk.name);
    if (walk.left_out > TOLD_MAX)
        (void)fprintf(stderr, "testflinger-device-connector: nor for %zu other values\n",
                      walk.left_out - TOLD_MAX);
    return rc;
}
