/* SPDX-License-Identifier: GPL-3.0-or-later
 * A scanner that knows of JSON only what it takes to find a member of the outermost object. */
#include "agent/job_state.h"

#include <string.h>

static void end_string(struct job_state_scan *s)
{
    s->in_string = false;
    s->text[s->len] = '\0';
    if (s->depth == 1 && s->is_value && s->wanted)
        memcpy(s->state, s->text, s->len + 1);
}

static void in_string(struct job_state_scan *s, char c)
{
    if (!s->escaped && c == '"') {
        end_string(s);
        return;
    }
    s->escaped = !s->escaped && c == '\\';
    if (s->len < sizeof(s->text) - 1)
        s->text[s->len++] = c;
}

static void outside(struct job_state_scan *s, char c)
{
    switch (c) {
    case '"':
        s->in_string = true;
        s->escaped = false;
        s->len = 0;
        break;
    case '{':
    case '[':
        s->depth++;
        break;
    case '}':
    case ']':
        s->depth--;
        break;
    case ':':
        s->is_value = s->is_value || s->depth == 1;
        s->wanted = s->depth == 1 && strcmp(s->text, "job_state") == 0;
        break;
    case ',':
        if (s->depth == 1)
            s->is_value = s->wanted = false;
        break;
    default:
        break;
    }
}

void job_state_feed(struct job_state_scan *scan, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (scan->in_string)
            in_string(scan, data[i]);
        else
            outside(scan, data[i]);
}

bool job_state_is_cancelled(const char *state)
{
    return strcmp(state, "cancelled") == 0;
}

bool job_state_is_final(const char *state)
{
    return job_state_is_cancelled(state) || strcmp(state, "complete") == 0 ||
           strcmp(state, "completed") == 0;
}
