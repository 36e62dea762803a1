/* SPDX-License-Identifier: GPL-3.0-or-later
 * Options as libconfig reads them.  A text of several lines is written as several, which libconfig
 * puts together again. */
#include "common/option.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

static void add_character(struct buf *out, unsigned char c)
{
    static const char plain[] = "\\\"\n\t\r\f", written[] = "\\\"ntrf";
    const char *at = c ? strchr(plain, c) : NULL;

    if (at)
        (void)buf_addf(out, "\\%c", written[at - plain]);
    else if (c < ' ' || c == 0x7f)
        (void)buf_addf(out, "\\x%02x", c);
    else
        (void)buf_addc(out, (char)c);
}

/* A space and the text. */
static void add_string(struct buf *out, const char *text, const char *indent)
{
    const char *end = strchr(text, '\n');
    bool is_long = end && end[1];

    if (is_long)
        (void)buf_addf(out, "\n%s\"", indent);
    else
        (void)buf_adds(out, " \"");
    for (const char *p = text; *p; p++) {
        add_character(out, (unsigned char)*p);
        if (is_long && *p == '\n' && p[1])
            (void)buf_addf(out, "\"\n%s\"", indent);
    }
    (void)buf_addc(out, '"');
}

static void add_list(struct buf *out, const struct option_list *list)
{
    (void)buf_adds(out, " [");
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            (void)buf_addc(out, ',');
        add_string(out, list->items[i], "    ");
    }
    (void)buf_adds(out, " ]");
}

static void add_groups(struct buf *out, const struct option_row *row,
                       const struct option_groups *groups)
{
    (void)buf_adds(out, " (");
    for (size_t i = 0; i < groups->count; i++) {
        (void)buf_addf(out, "%s\n    {", i ? "," : "");
        for (int k = 0; row->fields[k]; k++) {
            (void)buf_addf(out, " %s =", row->fields[k]);
            add_string(out, groups->items[i][k], "        ");
            (void)buf_addc(out, ';');
        }
        (void)buf_adds(out, " }");
    }
    (void)buf_adds(out, groups->count ? "\n)" : " )");
}

static void add_number(struct buf *out, int64_t value)
{
    (void)buf_addf(out, " %" PRId64 "%s", value, value > INT32_MAX || value < INT32_MIN ? "L" : "");
}

int option_write(const struct option_row *row, const void *from, struct buf *out)
{
    const void *field = (const char *)from + row->offset;
    const char *text;

    (void)buf_addf(out, "%s =", row->name);
    switch (row->type) {
    case OPTION_TYPE_STRING:
        text = *(char *const *)field;
        add_string(out, text ? text : "", "    ");
        break;
    case OPTION_TYPE_INT:
        add_number(out, *(const int64_t *)field);
        break;
    case OPTION_TYPE_BOOL:
        (void)buf_adds(out, *(const bool *)field ? " true" : " false");
        break;
    case OPTION_TYPE_LIST:
        add_list(out, field);
        break;
    case OPTION_TYPE_GROUPS:
        add_groups(out, row, field);
        break;
    case OPTION_TYPE_END:
        break;
    }
    (void)buf_adds(out, ";\n");
    return buf_failed(out) ? -1 : 0;
}
