/* SPDX-License-Identifier: GPL-3.0-or-later
 * Filling a struct from libconfig, the environment and defaults: every row is visited once, in that
 * order of precedence (the environment wins over the file).  Help and samples are in
 * option_print.c. */
#include "common/option.h"

#include "common/parse.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#define VARIABLE_MAX 128

struct source { /* one row being filled */
    const struct option_row *row;
    void *into;
    const char *file;
    struct err *err;
};

static void *field_of(const struct option_row *row, void *into)
{
    return (char *)into + row->offset;
}

static int out_of_memory(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory");
}

static int set_string(void *field, const char *text, struct err *err)
{
    char *copy = strdup(text);

    if (!copy)
        return out_of_memory(err);
    free(*(char **)field);
    *(char **)field = copy;
    return 0;
}

static int list_add(struct option_list *list, const char *text, size_t len, struct err *err)
{
    char **items;

    if (list->count == OPTION_LIST_MAX)
        return err_set(err, ERR_INVALID, "more than %d entries", OPTION_LIST_MAX);
    items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (!items)
        return out_of_memory(err);
    list->items = items;
    items[list->count] = strndup(text, len);
    if (!items[list->count])
        return out_of_memory(err);
    list->count++;
    return 0;
}

static int list_split(struct option_list *list, const char *text, struct err *err)
{
    while (*text) {
        size_t len = strcspn(text, ",");

        if (len && list_add(list, text, len, err) < 0)
            return -1;
        text += len + (text[len] == ',');
    }
    return 0;
}

/* From text: the environment or a default. */
static int set_text(const struct option_row *row, void *field, const char *text, struct err *err)
{
    switch (row->type) {
    case OPTION_TYPE_STRING:
        return set_string(field, text, err);
    case OPTION_TYPE_INT:
        return parse_int64(text, row->min, row->max, field, err);
    case OPTION_TYPE_BOOL:
        return parse_bool(text, field, err);
    case OPTION_TYPE_LIST:
        return list_split(field, text, err);
    case OPTION_TYPE_GROUPS:
        return err_set(err, ERR_INVALID, "can be set in a configuration file only");
    case OPTION_TYPE_END:
        break;
    }
    return err_set(err, ERR_INTERNAL, "unknown type of option");
}

static int set_list(struct option_list *list, const config_setting_t *setting, struct err *err)
{
    for (int i = 0; i < config_setting_length(setting); i++) {
        const char *text = config_setting_get_string_elem(setting, i);

        if (!text)
            return err_set(err, ERR_INVALID, "entry %d is not a string", i + 1);
        if (list_add(list, text, strlen(text), err) < 0)
            return -1;
    }
    return 0;
}

static int position_of(const char *const *fields, const char *name)
{
    for (int i = 0; fields[i]; i++)
        if (strcmp(fields[i], name) == 0)
            return i;
    return -1;
}

/* Fills one group's texts, by position; all fields must be there and no other. */
static int set_group(const struct option_row *row, char *into[OPTION_FIELDS_MAX],
                     const config_setting_t *group, struct err *err)
{
    if (!group || !config_setting_is_group(group))
        return err_set(err, ERR_INVALID, "an entry is not a group { … }");
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(member);
        const char *text = config_setting_get_string(member);
        int at = position_of(row->fields, name);

        if (at < 0)
            return err_set(err, ERR_INVALID, "line %u: unknown key \"%s\"",
                           config_setting_source_line(member), name);
        if (!text)
            return err_set(err, ERR_INVALID, "line %u: \"%s\" is not a string",
                           config_setting_source_line(member), name);
        if (set_string(&into[at], text, err) < 0)
            return -1;
    }
    for (int i = 0; row->fields[i]; i++)
        if (!into[i])
            return err_set(err, ERR_INVALID, "line %u: \"%s\" is missing",
                           config_setting_source_line(group), row->fields[i]);
    return 0;
}

static int set_groups(const struct option_row *row, struct option_groups *groups,
                      const config_setting_t *setting, struct err *err)
{
    int count = config_setting_length(setting);

    if (count > OPTION_LIST_MAX)
        return err_set(err, ERR_INVALID, "more than %d entries", OPTION_LIST_MAX);
    groups->items = calloc((size_t)count + 1, sizeof(*groups->items));
    if (!groups->items)
        return out_of_memory(err);
    for (; groups->count < (size_t)count; groups->count++) {
        const config_setting_t *group = config_setting_get_elem(setting, (unsigned)groups->count);

        if (set_group(row, groups->items[groups->count], group, err) < 0) {
            groups->count++; /* the half-filled one is freed with the others */
            return -1;
        }
    }
    return 0;
}

static int set_number(const struct option_row *row, int64_t *field, const config_setting_t *setting,
                      struct err *err)
{
    int64_t value = config_setting_get_int64(setting);

    if (value < row->min || value > row->max)
        return err_set(err, ERR_INVALID, "%lld is not between %lld and %lld", (long long)value,
                       (long long)row->min, (long long)row->max);
    *field = value;
    return 0;
}

/* From the file, where the type must be right. */
static int set_setting(const struct option_row *row, void *field, const config_setting_t *setting,
                       struct err *err)
{
    int type = config_setting_type(setting);
    bool listed = type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;

    if (row->type == OPTION_TYPE_STRING && type == CONFIG_TYPE_STRING)
        return set_string(field, config_setting_get_string(setting), err);
    if (row->type == OPTION_TYPE_INT && (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64))
        return set_number(row, field, setting, err);
    if (row->type == OPTION_TYPE_BOOL && type == CONFIG_TYPE_BOOL) {
        *(bool *)field = config_setting_get_bool(setting) != 0;
        return 0;
    }
    if (row->type == OPTION_TYPE_LIST && listed)
        return set_list(field, setting, err);
    if (row->type == OPTION_TYPE_GROUPS && listed)
        return set_groups(row, field, setting, err);
    return err_set(err, ERR_INVALID, "wrong type of value (%s wanted)", row->value_name);
}

static const char *from_environment(const struct option_row *row)
{
    char variable[VARIABLE_MAX] = "TESTFLINGER_";
    size_t len = strlen(variable);

    for (const char *p = row->name; *p && len + 1 < sizeof(variable); p++)
        variable[len++] = (char)toupper((unsigned char)*p);
    variable[len] = '\0';
    return getenv(variable);
}

static int fill_row(const struct source *s, const config_setting_t *setting)
{
    const struct option_row *row = s->row;
    void *field = field_of(row, s->into);
    const char *text = row->type == OPTION_TYPE_GROUPS ? NULL : from_environment(row);

    if (text) {
        if (set_text(row, field, text, s->err) < 0)
            return err_prefix(s->err, "environment: option \"%s\"", row->name);
        return 0;
    }
    if (setting) {
        if (set_setting(row, field, setting, s->err) < 0)
            return err_prefix(s->err, "%s:%u: option \"%s\"", s->file,
                              config_setting_source_line(setting), row->name);
        return 0;
    }
    if (row->required)
        return err_set(s->err, ERR_INVALID, "%s: option \"%s\" is missing",
                       s->file ? s->file : "no configuration file", row->name);
    return row->fallback ? set_text(row, field, row->fallback, s->err) : 0;
}

static int refuse_unknown(const struct option_row *rows, const config_setting_t *root,
                          const char *file, struct err *err)
{
    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        const char *name = config_setting_name(setting);
        const struct option_row *row = rows;

        while (row->name && strcmp(row->name, name) != 0)
            row++;
        if (!row->name)
            return err_set(err, ERR_INVALID, "%s:%u: unknown option \"%s\"", file,
                           config_setting_source_line(setting), name);
    }
    return 0;
}

static int read_file(config_t *config, const char *path, struct err *err)
{
    if (config_read_file(config, path))
        return 0;
    if (config_error_type(config) == CONFIG_ERR_FILE_IO)
        return err_set(err, ERR_NOT_FOUND, "could not read configuration file \"%s\"", path);
    return err_set(err, ERR_INVALID, "%s:%d: %s", path, config_error_line(config),
                   config_error_text(config));
}

static int fill(const struct option_row *rows, config_t *config, const char *path, void *into,
                struct err *err)
{
    const config_setting_t *root;

    if (path && read_file(config, path, err) < 0)
        return -1;
    root = config_root_setting(config); /* reading made a new one */
    if (refuse_unknown(rows, root, path, err) < 0)
        return -1;
    for (const struct option_row *row = rows; row->name; row++) {
        struct source s = {row, into, path, err};

        if (fill_row(&s, config_setting_get_member(root, row->name)) < 0)
            return -1;
    }
    return 0;
}

int option_load(const struct option_row *rows, const char *path, void *into, struct err *err)
{
    config_t config;
    int rc;

    assert(rows && into);
    config_init(&config);
    rc = fill(rows, &config, path, into, err);
    config_destroy(&config);
    if (rc < 0)
        option_free(rows, into);
    return rc;
}

static void free_groups(struct option_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        for (int k = 0; k < OPTION_FIELDS_MAX; k++)
            free(groups->items[i][k]);
    free(groups->items);
    *groups = (struct option_groups){0};
}

static void free_list(struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct option_list){0};
}

void option_free(const struct option_row *rows, void *into)
{
    for (const struct option_row *row = rows; row->name; row++) {
        void *field = field_of(row, into);

        if (row->type == OPTION_TYPE_STRING) {
            free(*(char **)field);
            *(char **)field = NULL;
        } else if (row->type == OPTION_TYPE_LIST) {
            free_list(field);
        } else if (row->type == OPTION_TYPE_GROUPS) {
            free_groups(field);
        }
    }
}
