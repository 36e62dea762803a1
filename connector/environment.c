/* SPDX-License-Identifier: GPL-3.0-or-later
 * Lists of NAME=value. */
#include "connector/environment.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "connector/config.h"
#include "connector/connector.h"
#include "connector/ssh.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_MAX ((size_t)100 << 10) /* the kernel takes 128 KiB for one */

static char **find(const struct environment *environment, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->items[i], name, len) == 0 && environment->items[i][len] == '=')
            return &environment->items[i];
    return NULL;
}

bool environment_has(const struct environment *environment, const char *name)
{
    return find(environment, name) != NULL;
}

/* Takes the item. */
static int append(struct environment *environment, char *item, struct err *err)
{
    char **items = NULL;

    if (item && environment->count < ENVIRONMENT_MAX)
        items = realloc(environment->items, (environment->count + 2) * sizeof(*items));
    if (!items) {
        free(item);
        return err_set(err, ERR_TOO_LARGE, "the environment is too large");
    }
    environment->items = items;
    items[environment->count++] = item;
    items[environment->count] = NULL;
    return 0;
}

int environment_set(struct environment *environment, const char *name, const char *value,
                    struct err *err)
{
    struct buf item = BUF_INIT(VALUE_MAX);
    char **old = find(environment, name);
    char *text;

    if (!*name || strchr(name, '='))
        return err_set(err, ERR_INVALID, "\"%s\" cannot be the name of a variable", name);
    (void)buf_addf(&item, "%s=%s", name, value);
    text = buf_take(&item);
    buf_done(&item);
    if (!text)
        return err_set(err, ERR_TOO_LARGE, "the value of %s is too long for the environment", name);
    if (!old)
        return append(environment, text, err);
    free(*old);
    *old = text;
    return 0;
}

int environment_copy(struct environment *environment, struct err *err)
{
    for (char **item = environ; *item; item++)
        if (append(environment, strdup(*item), err) < 0)
            return -1;
    return 0;
}

void environment_done(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++) {
        explicit_bzero(environment->items[i], strlen(environment->items[i]));
        free(environment->items[i]);
    }
    free(environment->items);
    *environment = (struct environment){0};
}

static int set_scalar(struct environment *environment, const char *name, struct json_object *value,
                      struct err *err)
{
    if (json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array))
        return err_set(err, ERR_INVALID, "env of the configuration: %s is no text", name);
    return environment_set(environment, name, value ? json_object_get_string(value) : "", err);
}

static int set_configured(struct environment *environment, struct json_object *env, struct err *err)
{
    if (env && !json_object_is_type(env, json_type_object))
        return err_set(err, ERR_INVALID, "env of the configuration is no mapping");
    if (env) {
        json_object_object_foreach(env, name, value)
        {
            if (set_scalar(environment, name, value, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* A text, or a list of commands, one on a line. */
static int set_reboot_script(struct environment *environment, const struct config *config,
                             struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(VALUE_MAX);
    struct json_object *script = config_get(config, "reboot_script");

    if (!script)
        return 0;
    if (!json_object_is_type(script, json_type_array))
        return set_scalar(environment, "REBOOT_SCRIPT", script, err);
    for (size_t i = 0; i < json_object_array_length(script); i++) {
        struct json_object *line = json_object_array_get_idx(script, i);

        (void)buf_addf(&text, "%s%s", i > 0 ? "\n" : "", line ? json_object_get_string(line) : "");
    }
    return environment_set(environment, "REBOOT_SCRIPT", buf_text(&text), err);
}

int environment_for(struct environment *environment, const struct run *run, struct err *err)
{
    static const struct {
        const char *name, *key;
    } variables[] = {
        {"DEVICE_IP", "device_ip"},
        {"DEVICE_SSH_PORT", "ssh_port"},
        {"DEVICE_SSH_IDENTITY", "ssh_identity"},
        {"AGENT_NAME", "agent_name"},
    };

    if (environment_copy(environment, err) < 0 ||
        set_configured(environment, config_get(run->config, "env"), err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = config_text(run->config, variables[i].key);

        if (value && environment_set(environment, variables[i].name, value, err) < 0)
            return -1;
    }
    if (environment_set(environment, "DEVICE_SSH_USER", ssh_user(run), err) < 0)
        return -1;
    return set_reboot_script(environment, run->config, err);
}
