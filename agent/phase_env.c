/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a command is given and what it leaves behind: its environment, and the file in which a
 * device connector says why it failed. */
#include "agent/config.h"
#include "agent/definition.h"
#include "agent/job_steps.h"
#include "agent/phase.h"
#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK_NAME       "TESTFLINGER_AGENT_JOB"
#define ERROR_FILE      "device-connector-error.json"
#define ERROR_FILE_MAX  (1024 * 1024)
#define ENVIRONMENT_MAX 100000

/* What the agent was given for itself: its channel to the service manager, and a password. */
static const char *const own_variables[] = {
    "INFLUX_PW",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
};

struct list {
    char **items;
    size_t count;
};

/* Sets NAME=value, in place of an older one.  Without memory the program ends. */
static void set_variable(void *arg, const char *name, const char *value)
{
    struct list *list = arg;
    size_t name_len = strlen(name);
    char *item = malloc(name_len + strlen(value) + 2);

    if (!item)
        abort();
    memcpy(item, name, name_len);
    item[name_len] = '=';
    memcpy(item + name_len + 1, value, strlen(value) + 1);
    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->items[i], item, name_len + 1) == 0) {
            free(list->items[i]);
            list->items[i] = item;
            return;
        }
    list->items = realloc(list->items, (list->count + 2) * sizeof(*list->items));
    if (!list->items)
        abort();
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

static bool is_own(const char *name)
{
    for (size_t i = 0; i < sizeof(own_variables) / sizeof(own_variables[0]); i++)
        if (strcmp(own_variables[i], name) == 0)
            return true;
    return false;
}

static void set_own_environment(struct list *list)
{
    for (char **item = environ; *item && list->count < ENVIRONMENT_MAX; item++) {
        const char *equals = strchr(*item, '=');
        AUTO_FREE char *name = equals ? strndup(*item, (size_t)(equals - *item)) : NULL;

        if (name && *name && !is_own(name))
            set_variable(list, name, equals + 1);
    }
}

char **phase_environment(struct job *job)
{
    struct json_object *secrets = definition_secrets(job->definition, job->phase);
    struct list list = {0};

    set_own_environment(&list);
    config_each_string(job->context->config, set_variable, &list);
    set_variable(&list, MARK_NAME, job->id);
    if (secrets) {
        json_object_object_foreach(secrets, name, value)
        {
            if (json_object_is_type(value, json_type_string) && *name && !strchr(name, '='))
                set_variable(&list, name, json_object_get_string(value));
        }
    }
    return list.items;
}

void phase_free_environment(char **environment)
{
    for (char **item = environment; item && *item; item++) {
        explicit_bzero(*item, strlen(*item));
        free(*item);
    }
    free(environment);
}

char *phase_mark(const struct job *job)
{
    struct buf mark = BUF_INIT(256);

    (void)buf_addf(&mark, MARK_NAME "=%s", job->id);
    return buf_take(&mark);
}

/* "name: message[ caused by cause]" */
static void add_detail(struct json_object *info, struct buf *b)
{
    const char *name = jsn_text(info, "exception_name");
    const char *message = jsn_text(info, "exception_message");
    const char *cause = jsn_text(info, "exception_cause");

    (void)buf_addf(b, "%s: %s", name ? name : "", message ? message : "");
    if (cause && *cause)
        (void)buf_addf(b, " caused by %s", cause);
}

void phase_failure_detail(const struct job *job, enum phase phase, struct buf *ret_text)
{
    AUTO(buf) struct buf file = BUF_INIT(ERROR_FILE_MAX);
    AUTO(buf) struct buf plain = BUF_INIT(ERROR_FILE_MAX);
    struct json_object *json = NULL;
    struct json_object *info;
    char key[64];

    if (spool_read(job->dir, ERROR_FILE, &file, NULL) < 0 ||
        jsn_parse(buf_text(&file), file.len, &json, NULL) < 0)
        return;
    (void)snprintf(key, sizeof(key), "%s_exception_info", phase_name(phase));
    info = jsn_get(json, key);
    if (!info && phase == PHASE_TEST) /* the connector's own name for that stage */
        info = jsn_get(json, "runtest_exception_info");
    if (info)
        add_detail(info, &plain);
    mask_text(job->mask, buf_text(&plain), plain.len, ret_text);
    json_object_put(json);
}
