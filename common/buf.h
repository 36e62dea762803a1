/* SPDX-License-Identifier: GPL-3.0-or-later
 * A growing byte buffer with a maximum set at birth.
 *
 *     struct buf body;
 *     buf_init(&body, 1 << 20);
 *     buf_addf(&body, "%d", n);          growing past the maximum marks the buffer as failed
 *     if (buf_failed(&body)) ...         so one check at the end is enough
 *     buf_done(&body);
 *
 * data is always terminated by a NUL that len does not count; it is never NULL after the first
 * addition and buf_text() is never NULL.  Not safe for use by two threads at once. */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max;  /* bytes of content, the NUL not counted */
    bool failed; /* an addition did not fit or memory ran out */
};

#define BUF_INIT(max_bytes)                                                                        \
    {                                                                                              \
        .max = (max_bytes)                                                                         \
    }

void buf_init(struct buf *b, size_t max);
/* Frees the content; the buffer may be used again.  Takes a zeroed struct. */
void buf_done(struct buf *b);
/* Empties the buffer and keeps its memory. */
void buf_clear(struct buf *b);

/* Each returns 0, or -1 if the addition did not fit (nothing was added then). */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_adds(struct buf *b, const char *text);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
int buf_addvf(struct buf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Makes room for len more bytes and returns where they go, NULL if they do not fit; the caller
 * then adds what it wrote to b->len and calls buf_sane() to restore the NUL. */
char *buf_reserve(struct buf *b, size_t len);
void buf_sane(struct buf *b);

/* Removes the first n bytes. */
void buf_drop(struct buf *b, size_t n);
/* Removes what lies behind the first len bytes. */
void buf_cut(struct buf *b, size_t len);

static inline bool buf_failed(const struct buf *b)
{
    return b->failed;
}
static inline const char *buf_text(const struct buf *b)
{
    return b->data ? b->data : "";
}
/* Hands the content out; the caller frees it.  NULL if the buffer failed or memory ran out. */
char *buf_take(struct buf *b);

#endif
