/* SPDX-License-Identifier: GPL-3.0-or-later
 * Every element is quoted, so that none is taken for anything else ("NULL", "", "{}"). */
#include "server/store/list.h"

#include <inttypes.h>
#include <string.h>

static void add_quoted(struct buf *list, const char *text)
{
    (void)buf_addc(list, '"');
    while (*text) {
        size_t plain = strcspn(text, "\"\\");

        (void)buf_add(list, text, plain);
        text += plain;
        if (*text) {
            (void)buf_addc(list, '\\');
            (void)buf_addc(list, *text++);
        }
    }
    (void)buf_addc(list, '"');
}

void list_add(struct buf *list, const char *text)
{
    (void)buf_addc(list, list->len == 0 ? '{' : ',');
    if (text)
        add_quoted(list, text);
    else
        (void)buf_adds(list, "NULL");
}

void list_add_int(struct buf *list, int64_t number)
{
    (void)buf_addf(list, "%c%" PRId64, list->len == 0 ? '{' : ',', number);
}

int list_end(struct buf *list)
{
    if (list->len == 0)
        (void)buf_addc(list, '{');
    return buf_addc(list, '}');
}
