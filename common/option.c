/* SPDX-License-Identifier: GPL-3.0-or-later
 * Filling a struct from libconfig, the environment and defaults: every row is visited once, in that
 * order of precedence (the environment wins over the file), then the rules.  Values are in
 * option_value.c, help and samples in option_print.c. */
#include "common/option.h"

#include "common/option_value.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE_MAX 128

/* --- mistakes -------------------------------------------------------------------------- */

static int report(struct option_reader *r, const struct err *mistake)
{
    if (r->mistakes++ == 0 && r->first)
        *r->first = *mistake;
    if (r->reading->report)
        r->reading->report(r->reading->arg, mistake);
    return -1;
}

/* Puts "FILE:LINE: " in front; a file that was included has its own name. */
static void prefix_place(const struct option_reader *r, const config_setting_t *at, struct err *err)
{
    const char *file = at ? config_setting_source_file(at) : NULL;

    if (!file)
        file = r->reading->path ? r->reading->path : "no configuration file";
    if (at && config_setting_source_line(at) > 0)
        (void)err_prefix(err, "%s:%u", file, config_setting_source_line(at));
    else
        (void)err_prefix(err, "%s", file);
}

int option_mistake(struct option_reader *r, const config_setting_t *at, const char *format, ...)
{
    struct err mistake = ERR_INIT;
    char text[ERR_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)err_set(&mistake, ERR_INVALID, "option \"%s\": %s", r->row->name, text);
    prefix_place(r, at, &mistake);
    return report(r, &mistake);
}

/* --- rows ------------------------------------------------------------------------------ */

static const char *from_environment(const struct option_row *row)
{
    char variable[VARIABLE_MAX] = "TESTFLINGER_";
    size_t len = strlen(variable);

    if (row->type == OPTION_TYPE_GROUPS)
        return NULL;
    for (const char *p = row->name; *p && len + 1 < sizeof(variable); p++)
        variable[len++] = (char)toupper((unsigned char)*p);
    variable[len] = '\0';
    return getenv(variable);
}

static int fill_row(struct option_reader *r, const config_setting_t *setting)
{
    const struct option_row *row = r->row;
    const char *text = from_environment(row);
    struct err err = ERR_INIT;

    if (text) {
        if (option_set_text(row, r->into, text, &err) == 0)
            return 0;
        (void)err_prefix(&err, "environment: option \"%s\"", row->name);
        return report(r, &err);
    }
    if (setting)
        return option_set_setting(r, setting);
    if (row->required) {
        (void)err_set(&err, ERR_INVALID, "option \"%s\" is missing", row->name);
        prefix_place(r, NULL, &err);
        return report(r, &err);
    }
    if (row->fallback && option_set_text(row, r->into, row->fallback, &err) < 0)
        return report(r, &err);
    return 0;
}

static void refuse_unknown(struct option_reader *r, const config_setting_t *root)
{
    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        const char *name = config_setting_name(setting);
        const struct option_row *row = r->reading->rows;
        struct err err = ERR_INIT;

        while (row->name && strcmp(row->name, name) != 0)
            row++;
        if (row->name)
            continue;
        (void)err_set(&err, ERR_INVALID, "unknown option \"%s\"", name);
        prefix_place(r, setting, &err);
        (void)report(r, &err);
    }
}

/* --- rules ----------------------------------------------------------------------------- */

static size_t position_of(const struct option_row *rows, const char *name)
{
    size_t i = 0;

    while (rows[i].name && strcmp(rows[i].name, name) != 0)
        i++;
    assert(rows[i].name && "a rule for an option that the table does not have");
    return i;
}

static void apply_rules(struct option_reader *r, const config_setting_t *root,
                        const bool wrong[OPTION_ROWS_MAX])
{
    for (const struct option_rule *rule = r->reading->rules; rule && rule->name; rule++) {
        size_t at = position_of(r->reading->rows, rule->name);
        struct err what = ERR_INIT, err = ERR_INIT;

        if (wrong[at] || rule->check(r->into, &what) == 0)
            continue;
        (void)err_set(&err, what.code, "option \"%s\" %s", rule->name, what.text);
        if (from_environment(&r->reading->rows[at]))
            (void)err_prefix(&err, "environment");
        else
            prefix_place(r, config_setting_get_member(root, rule->name), &err);
        (void)report(r, &err);
    }
}

/* --- the file -------------------------------------------------------------------------- */

static int read_file(struct option_reader *r, config_t *config)
{
    const char *path = r->reading->path;
    const char *file;
    struct err err = ERR_INIT;

    errno = 0;
    if (config_read_file(config, path))
        return 0;
    file = config_error_file(config) ? config_error_file(config) : path;
    if (config_error_type(config) != CONFIG_ERR_FILE_IO)
        (void)err_set(&err, ERR_INVALID, "%s:%d: %s", file, config_error_line(config),
                      config_error_text(config));
    else if (errno != 0)
        (void)err_set_errno(&err, errno, "could not read configuration file \"%s\"", file);
    else
        (void)err_set(&err, ERR_NOT_FOUND, "could not read configuration file \"%s\"", file);
    return report(r, &err);
}

static void fill(struct option_reader *r, config_t *config)
{
    const struct option_row *rows = r->reading->rows;
    bool wrong[OPTION_ROWS_MAX] = {false};
    const config_setting_t *root;

    if (r->reading->path && read_file(r, config) < 0)
        return;
    root = config_root_setting(config); /* reading made a new one */
    refuse_unknown(r, root);
    for (size_t i = 0; rows[i].name; i++) {
        assert(i < OPTION_ROWS_MAX);
        r->row = &rows[i];
        wrong[i] = fill_row(r, config_setting_get_member(root, rows[i].name)) < 0;
    }
    apply_rules(r, root, wrong);
}

int option_read(const struct option_reading *reading, void *into, struct err *err)
{
    struct option_reader reader = {.reading = reading, .into = into, .first = err};
    config_t config;

    assert(reading->rows && into);
    config_init(&config);
    fill(&reader, &config);
    config_destroy(&config);
    if (reader.mistakes == 0)
        return 0;
    option_free(reading->rows, into);
    return -1;
}

int option_load(const struct option_row *rows, const char *path, void *into, struct err *err)
{
    const struct option_reading reading = {.rows = rows, .path = path};

    return option_read(&reading, into, err);
}
