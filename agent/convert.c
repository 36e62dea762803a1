/* SPDX-License-Identifier: GPL-3.0-or-later
 * The file becomes a tree and a list of where its keys stand; each key an option of a struct
 * config, and that is written.  So every value passes the types, ranges and rules that a
 * configuration has. */
#include "agent/convert.h"

#include "agent/config.h"
#include "agent/convert_value.h"
#include "common/fs.h"
#include "common/yaml.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOSS_MAX 1024
#define KEYS_MAX 100000

struct key {
    size_t depth, line;
    char *name;
};

struct work {
    const struct conversion *conversion;
    struct json_object *yaml;
    struct key *keys; /* in the order of the file */
    size_t key_count, key_room;
    struct config config;
    bool given[OPTION_ROWS_MAX];
    const char *name; /* key at the top that is being converted */
    size_t losses;
};

/* --- where things stand ---------------------------------------------------------------- */

/* Without memory for it a loss is told without its line. */
static void note_key(void *arg, size_t depth, const char *name, size_t line)
{
    struct work *w = arg;

    if (w->key_count == w->key_room && w->key_room < KEYS_MAX) {
        size_t room = w->key_room ? 2 * w->key_room : 64;
        struct key *keys = realloc(w->keys, room * sizeof(*keys));

        if (!keys)
            return;
        w->keys = keys;
        w->key_room = room;
    }
    if (w->key_count < w->key_room) {
        w->keys[w->key_count] = (struct key){depth, line, strdup(name)};
        w->key_count += w->keys[w->key_count].name != NULL;
    }
}

/* The last key of that name at the depth among keys[from..]; below the top only in its mapping. */
static size_t find_key(const struct work *w, size_t from, size_t depth, const char *name)
{
    size_t found = w->key_count;

    for (size_t i = from; i < w->key_count && (depth == 1 || w->keys[i].depth >= depth); i++)
        if (w->keys[i].depth == depth && strcmp(w->keys[i].name, name) == 0)
            found = i;
    return found;
}

/* Of the innermost key that is found; 0 if even the outermost came by an alias. */
static size_t find_line(const struct work *w, const char *const path[3])
{
    size_t from = 0, line = 0;

    for (size_t depth = 1; depth <= 3 && path[depth - 1]; depth++) {
        size_t at = find_key(w, from, depth, path[depth - 1]);

        if (at == w->key_count)
            break;
        line = w->keys[at].line;
        from = at + 1;
    }
    return line;
}

/* --- losses ---------------------------------------------------------------------------- */

static void add_place(const struct work *w, size_t line, struct buf *b)
{
    (void)buf_adds(b, w->conversion->path);
    if (line > 0)
        (void)buf_addf(b, ":%zu", line);
}

static void tell_loss(void *arg, const char *outer, const char *inner, const char *why)
{
    struct work *w = arg;
    const char *const path[3] = {w->name, outer, inner};
    struct buf text = BUF_INIT(CONVERT_TEXT_MAX);

    add_place(w, find_line(w, path), &text);
    (void)buf_addf(&text, ": key \"%.200s%s%.200s%s%.200s\": %s", w->name, outer ? "/" : "",
                   outer ? outer : "", inner ? "/" : "", inner ? inner : "", why);
    for (size_t i = 0; i < text.len; i++) /* a key may hold anything; a report is one line */
        if (iscntrl((unsigned char)text.data[i]))
            text.data[i] = '?';
    w->losses++;
    w->conversion->report(w->conversion->arg, buf_text(&text));
    buf_done(&text);
}

/* --- options --------------------------------------------------------------------------- */

/* Back to nothing, and then to the default, for a value that a rule refuses. */
static void reset(struct config *config, const struct option_row *row)
{
    const struct option_row alone[] = {*row, OPTION_END};

    option_free(alone, config);
    if (row->fallback)
        (void)option_set_text(row, config, row->fallback, NULL);
}

static void convert_key(struct work *w, const char *name, struct json_object *json)
{
    const struct option_row *rows = config_rows();
    const struct convert_loss loss = {tell_loss, w};
    struct err err = ERR_INIT;
    char why[LOSS_MAX];
    size_t at = 0;

    w->name = name;
    while (rows[at].name && strcmp(rows[at].name, name) != 0)
        at++;
    if (!rows[at].name) {
        tell_loss(w, NULL, NULL, "not known to this agent: left out");
        return;
    }
    if (!json) /* null: as if it were not there */
        return;
    w->given[at] = convert_value(&rows[at], json, &w->config, &loss) == 0;
    if (w->given[at] && config_check(&w->config, name, &err) < 0) {
        (void)snprintf(why, sizeof(why), "%s: left out", err.text);
        tell_loss(w, NULL, NULL, why);
        w->given[at] = false;
    }
    if (!w->given[at])
        reset(&w->config, &rows[at]);
}

/* What depends on two options, one of them at its default. */
static int check_all(const struct work *w, struct err *err)
{
    for (const struct option_row *row = config_rows(); row->name; row++)
        if (config_check(&w->config, row->name, err) < 0)
            return err_prefix(err, "%s: \"%s\"", w->conversion->path, row->name);
    return 0;
}

static int convert_all(struct work *w, struct err *err)
{
    const struct option_row *rows = config_rows();
    struct buf missing = BUF_INIT(LOSS_MAX);
    int rc;

    for (const struct option_row *row = rows; row->name; row++) /* what rules compare with */
        reset(&w->config, row);
    json_object_object_foreach(w->yaml, name, value)
    {
        convert_key(w, name, value);
    }
    for (size_t i = 0; rows[i].name; i++)
        if (rows[i].required && !w->given[i])
            (void)buf_addf(&missing, "%s\"%s\"", missing.len ? ", " : "", rows[i].name);
    if (missing.len > 0)
        rc = err_set(err, ERR_INVALID, "%s: nothing usable for %s, which an agent must have",
                     w->conversion->path, buf_text(&missing));
    else
        rc = check_all(w, err);
    buf_done(&missing);
    return rc;
}

static int write_all(const struct work *w, struct buf *out, struct err *err)
{
    const struct option_row *rows = config_rows();

    (void)buf_adds(out, "# Made by testflinger-agent --convert; see testflinger-agent(8).\n");
    for (size_t i = 0; rows[i].name; i++)
        if (w->given[i])
            (void)option_write(&rows[i], &w->config, out);
    if (buf_failed(out))
        return err_set(err, ERR_TOO_LARGE, "%s: the configuration is too large",
                       w->conversion->path);
    return 0;
}

/* --- the file -------------------------------------------------------------------------- */

static int read_yaml(struct work *w, struct err *err)
{
    struct buf text = BUF_INIT(YML_TEXT_MAX);
    const char *path = w->conversion->path;
    int rc = fs_read(path, &text, err);

    if (rc == 0 && yml_parse_keys(buf_text(&text), text.len, note_key, w, &w->yaml, err) < 0)
        rc = err_prefix(err, "%s", path);
    else if (rc == 0 && !json_object_is_type(w->yaml, json_type_object))
        rc = err_set(err, ERR_INVALID, "%s: not a mapping of keys to values", path);
    buf_done(&text);
    return rc;
}

int convert(const struct conversion *conversion, struct buf *out, size_t *ret_losses,
            struct err *err)
{
    struct work w = {.conversion = conversion};
    int rc = read_yaml(&w, err);

    if (rc == 0)
        rc = convert_all(&w, err);
    if (rc == 0)
        rc = write_all(&w, out, err);
    if (rc == 0)
        *ret_losses = w.losses;
    for (size_t i = 0; i < w.key_count; i++)
        free(w.keys[i].name);
    free(w.keys);
    json_object_put(w.yaml);
    config_done(&w.config);
    return rc;
}
