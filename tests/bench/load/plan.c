/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads a plan, line by line. */
#include "tests/bench/load/plan.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct plan *plan;
    char *rest;
    int line;
};

/* The next line, its end cut off; NULL at the end. */
static char *next_line(struct reader *r)
{
    char *line = r->rest;
    char *end;

    if (!line || !*line)
        return NULL;
    end = strchr(line, '\n');
    if (end)
        *end = '\0';
    r->rest = end ? end + 1 : NULL;
    r->line++;
    return line;
}

/* The next word of the line, NULL at its end. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " ");
    size_t len = strcspn(word, " ");

    if (len == 0)
        return NULL;
    *rest = word[len] ? word + len + 1 : word + len;
    word[len] = '\0';
    return word;
}

static int copy_name(char *ret_name, const char *word, struct err *err)
{
    if (!word || strlen(word) >= PLAN_NAME_SIZE)
        return err_set(err, ERR_INVALID, "a name is missing or too long");
    (void)snprintf(ret_name, PLAN_NAME_SIZE, "%s", word);
    return 0;
}

/* The caller frees the text. */
static int read_text(const char *path, char **ret_text, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(PLAN_MAX);

    if (fs_read(path, &text, err) < 0)
        return -1;
    *ret_text = buf_take(&text);
    return *ret_text ? 0 : err_set(err, ERR_INVALID, "file \"%s\" is empty", path);
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == '\n';
    return count + 1;
}

static int read_list(struct reader *r, char *rest, struct err *err)
{
    struct list *list = &r->plan->lists[r->plan->list_count];
    char *line;

    if (r->plan->list_count == PLAN_LISTS)
        return err_set(err, ERR_INVALID, "more than %d lists", PLAN_LISTS);
    r->plan->list_count++;
    if (copy_name(list->name, next_word(&rest), err) < 0 ||
        read_text(rest, &list->content, err) < 0)
        return -1;
    list->items = calloc(count_lines(list->content), sizeof(*list->items));
    if (!list->items)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (struct reader lines = {.rest = list->content}; (line = next_line(&lines));)
        list->items[list->count++] = line;
    return list->count > 0 ? 0 : err_set(err, ERR_INVALID, "list %s is empty", list->name);
}

/* "200,204" -> numbers, at most so many. */
static int read_numbers(char *text, int *ret_numbers, size_t max, size_t *ret_count,
                        struct err *err)
{
    size_t count = 0;
    int64_t number;

    for (char *end; text; text = end) {
        end = strchr(text, ',');
        if (end)
            *end++ = '\0';
        if (count == max || parse_int64(text, 0, 65535, &number, err) < 0)
            return err_set(err, ERR_INVALID, "\"%s\" is no number or one too many", text);
        ret_numbers[count++] = (int)number;
    }
    *ret_count = count;
    return 0;
}

struct setting {
    const char *name;
    int64_t *value;
};

/* NAME=NUMBER for one of the settings. */
static int read_setting(const struct setting *settings, const char *name, const char *value,
                        struct err *err)
{
    for (; settings->name; settings++)
        if (strcmp(settings->name, name) == 0)
            return parse_int64(value, 0, INT64_MAX / 2000000, settings->value, err);
    return err_set(err, ERR_INVALID, "\"%s\" is not known", name);
}

/* Cuts "name=value" in place. */
static char *cut_value(char *word, struct err *err)
{
    char *value = strchr(word, '=');

    if (!value) {
        (void)err_set(err, ERR_INVALID, "\"%s\" has no value", word);
        return NULL;
    }
    *value = '\0';
    return value + 1;
}

static int read_group(struct reader *r, char *rest, struct err *err)
{
    struct group *group = &r->plan->groups[r->plan->group_count];
    const struct setting settings[] = {{"connections", &group->connections},
                                       {"rate", &group->rate},
                                       {"limit", &group->limit},
                                       {"held", &group->held},
                                       {NULL, NULL}};
    char *word, *value;

    if (r->plan->group_count == PLAN_GROUPS)
        return err_set(err, ERR_INVALID, "more than %d groups", PLAN_GROUPS);
    r->plan->group_count++;
    if (copy_name(group->name, next_word(&rest), err) < 0)
        return -1;
    while ((word = next_word(&rest))) {
        value = cut_value(word, err);
        if (!value)
            return -1;
        if (strcmp(word, "ports") != 0) {
            if (read_setting(settings, word, value, err) < 0)
                return -1;
        } else if (read_numbers(value, group->ports, PLAN_PORTS, &group->port_count, err) < 0) {
            return -1;
        }
    }
    if (group->connections < 1 || group->connections > CLIENTS_MAX || group->port_count < 1)
        return err_set(err, ERR_INVALID, "group %s has no connections or ports", group->name);
    return 0;
}

static int read_step_words(struct step *step, char *rest, struct err *err)
{
    const struct setting settings[] = {{"again", &step->again},
                                       {"mark", &step->mark},
                                       {"meet", &step->meet},
                                       {"waits", &step->waits},
                                       {NULL, NULL}};
    char *word, *value;
    size_t count = 0;

    while ((word = next_word(&rest))) {
        value = cut_value(word, err);
        if (!value)
            return -1;
        if (strcmp(word, "ok") != 0) {
            if (read_setting(settings, word, value, err) < 0)
                return -1;
        } else if (read_numbers(value, step->ok, PLAN_STATUSES, &count, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The request behind a step's line, lines joined: *ret_head for the header, *ret_body after it. */
static int read_request(struct reader *r, struct step *step, struct err *err)
{
    char *line, *head = r->rest, *body = NULL, *end = head;

    while ((line = next_line(r)) && strcmp(line, ".") != 0) {
        if (!body && !*line)
            body = r->rest;
        end = line + strlen(line);
    }
    if (!line || !head)
        return err_set(err, ERR_INVALID, "a request has no end");
    for (char *p = head; p < end; p++)
        if (!*p)
            *p = '\n';
    step->has_body = body && body < end;
    if (step->has_body && text_parse(r->plan, body, (size_t)(end - body), &step->body, err) < 0)
        return -1;
    return text_parse(r->plan, head, (size_t)((step->has_body ? body - 2 : end) - head),
                      &step->head, err);
}

static int read_step(struct reader *r, char *rest, struct err *err)
{
    struct group *group;
    struct step *step;

    if (r->plan->group_count == 0)
        return err_set(err, ERR_INVALID, "a step without a group");
    group = &r->plan->groups[r->plan->group_count - 1];
    if (group->step_count == PLAN_STEPS)
        return err_set(err, ERR_INVALID, "more than %d steps", PLAN_STEPS);
    step = &group->steps[group->step_count++];
    if (copy_name(step->name, next_word(&rest), err) < 0 || read_step_words(step, rest, err) < 0)
        return -1;
    return read_request(r, step, err);
}

static int read_line(struct reader *r, char *line, struct err *err)
{
    static const struct {
        const char *word;
        int (*read)(struct reader *r, char *rest, struct err *err);
    } kinds[] = {{"list", read_list}, {"group", read_group}, {"step", read_step}};
    char *rest = line;
    char *word = next_word(&rest);

    if (!word)
        return 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].word, word) == 0)
            return kinds[i].read(r, rest, err);
    return err_set(err, ERR_INVALID, "\"%s\" is not known", word);
}

int plan_load(struct plan *plan, const char *path, struct err *err)
{
    struct reader r = {.plan = plan};
    char *line;

    if (read_text(path, &plan->content, err) < 0)
        return -1;
    r.rest = plan->content;
    while ((line = next_line(&r)))
        if (read_line(&r, line, err) < 0)
            return err_prefix(err, "%s line %d", path, r.line);
    for (size_t i = 0; i < plan->group_count; i++)
        if (plan->groups[i].step_count == 0)
            return err_set(err, ERR_INVALID, "group %s has no steps", plan->groups[i].name);
    return plan->group_count > 0 ? 0 : err_set(err, ERR_INVALID, "%s has no groups", path);
}

void plan_done(struct plan *plan)
{
    for (size_t i = 0; i < plan->list_count; i++) {
        free(plan->lists[i].content);
        free(plan->lists[i].items);
    }
    free(plan->content);
}

bool plan_marks(const struct plan *plan)
{
    for (size_t i = 0; i < plan->group_count; i++)
        for (size_t j = 0; j < plan->groups[i].step_count; j++)
            if (plan->groups[i].steps[j].mark)
                return true;
    return false;
}

bool group_waits(const struct group *group)
{
    for (size_t i = 0; i < group->step_count; i++)
        if (group->steps[i].waits)
            return true;
    return false;
}
