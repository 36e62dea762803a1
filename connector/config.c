/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads the YAML file, and values of it. */
#include "connector/config.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/yaml.h"

#include <inttypes.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 20)

int config_load(struct config *config, const char *path, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
    struct json_object *tree = NULL;

    if (fs_read(path, &text, err) < 0)
        return -1;
    if (yml_parse(buf_text(&text), text.len, &tree, err) < 0)
        return err_prefix(err, "configuration \"%s\"", path);
    if (!json_object_is_type(tree, json_type_object)) {
        (void)json_object_put(tree);
        return err_set(err, ERR_INVALID, "configuration \"%s\" is no mapping of names to values",
                       path);
    }
    config->tree = tree;
    return 0;
}

void config_done(struct config *config)
{
    (void)json_object_put(config->tree);
    config->tree = NULL;
}

struct json_object *config_get(const struct config *config, const char *key)
{
    return jsn_get(config->tree, key);
}

const char *config_text(const struct config *config, const char *key)
{
    struct json_object *value = config_get(config, key);
    const char *text;

    if (!value || json_object_is_type(value, json_type_object) ||
        json_object_is_type(value, json_type_array))
        return NULL;
    text = json_object_get_string(value);
    return text && *text ? text : NULL;
}

int config_require(const struct config *config, const char *key, const char **ret_text,
                   struct err *err)
{
    const char *text = config_text(config, key);

    if (!text)
        return err_set(err, ERR_INVALID, "the configuration has no %s", key);
    *ret_text = text;
    return 0;
}

int config_number(const struct config *config, const char *key, int64_t fallback, int64_t max,
                  int64_t *ret_number, struct err *err)
{
    const char *text = config_text(config, key);
    int64_t number = fallback;

    if (config_get(config, key) && (!text || parse_int64(text, 0, max, &number, NULL) < 0))
        return err_set(err, ERR_INVALID,
                       "%s in the configuration must be a whole number from 0 to %" PRId64, key,
                       max);
    *ret_number = number;
    return 0;
}

int config_duration_ms(const struct config *config, const char *key, int64_t fallback_ms,
                       int64_t max_ms, int64_t *ret_ms, struct err *err)
{
    struct json_object *value = config_get(config, key);
    const char *text = config_text(config, key);
    int64_t seconds, ms = fallback_ms;

    if (json_object_is_type(value, json_type_double) &&
        json_object_get_double(value) <= (double)max_ms / 1000)
        ms = (int64_t)(json_object_get_double(value) * 1000);
    else if (value)
        ms = text && parse_duration(text, &seconds, NULL) == 0 && seconds <= max_ms / 1000
                 ? seconds * 1000
                 : -1;
    if (ms < 0)
        return err_set(err, ERR_INVALID,
                       "%s in the configuration must be a time from 0 to %" PRId64 " seconds", key,
                       max_ms / 1000);
    *ret_ms = ms;
    return 0;
}
