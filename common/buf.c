/* SPDX-License-Identifier: GPL-3.0-or-later
 * The growing buffer: capacity doubles up to the maximum. */
#include "common/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
    assert(max < SIZE_MAX / 2);
    *b = (struct buf)BUF_INIT(max);
}

void buf_done(struct buf *b)
{
    size_t max = b->max;

    free(b->data);
    buf_init(b, max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

static int fail(struct buf *b)
{
    b->failed = true;
    return -1;
}

/* Makes cap > need. */
static int grow(struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 64;
    char *data;

    while (cap <= need)
        cap *= 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    data = realloc(b->data, cap);
    if (!data)
        return fail(b);
    b->data = data;
    b->cap = cap;
    b->data[b->len] = '\0';
    return 0;
}

char *buf_reserve(struct buf *b, size_t len)
{
    assert(b->len <= b->max);
    if (len > b->max - b->len) {
        (void)fail(b);
        return NULL;
    }
    if (b->len + len >= b->cap && grow(b, b->len + len) < 0)
        return NULL;
    return b->data + b->len;
}

void buf_sane(struct buf *b)
{
    assert(b->data && b->len < b->cap);
    b->data[b->len] = '\0';
}

int buf_add(struct buf *b, const void *data, size_t len)
{
    char *room = buf_reserve(b, len);

    if (!room)
        return -1;
    if (len)
        memcpy(room, data, len);
    b->len += len;
    buf_sane(b);
    return 0;
}

int buf_adds(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

int buf_addc(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

int buf_addvf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    int len;
    char *room;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return fail(b);
    room = buf_reserve(b, (size_t)len);
    if (!room)
        return -1;
    (void)vsnprintf(room, (size_t)len + 1, format, args);
    b->len += (size_t)len;
    return 0;
}

int buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    int rc;

    va_start(args, format);
    rc = buf_addvf(b, format, args);
    va_end(args);
    return rc;
}

void buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->len);
    if (n == 0)
        return;
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    buf_sane(b);
}

void buf_cut(struct buf *b, size_t len)
{
    assert(len <= b->len);
    b->len = len;
    if (b->data)
        b->data[len] = '\0';
}

char *buf_take(struct buf *b)
{
    char *data;

    if (b->failed || (!b->data && buf_add(b, "", 0) < 0))
        return NULL;
    data = b->data;
    b->data = NULL;
    b->len = b->cap = 0;
    return data;
}
