/* SPDX-License-Identifier: GPL-3.0-or-later
 * Every element is quoted, so that none is taken for anything else ("NULL", "", "{}"). */
#include "server/store/list.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#define OID_TEXT 25

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

static int add_int32(struct buf *list, size_t number)
{
    const uint32_t bytes = htonl((uint32_t)number);

    return buf_add(list, &bytes, sizeof(bytes));
}

void list_begin_binary(struct buf *list, size_t count)
{
    (void)add_int32(list, 1); /* dimension */
    (void)add_int32(list, 0); /* NULL in it */
    (void)add_int32(list, OID_TEXT);
    (void)add_int32(list, count);
    (void)add_int32(list, 1); /* the first index */
}

int list_add_binary(struct buf *list, const struct buf *text)
{
    (void)add_int32(list, text->len);
    return buf_add(list, buf_text(text), text->len);
}
