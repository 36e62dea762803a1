/* SPDX-License-Identifier: GPL-3.0-or-later
 * Escapes differ between tags and fields: a tag escapes comma, space and equals sign, a text in a
 * field its quotes and backslashes. */
#include "agent/influx_line.h"

#include "common/utf8.h"

#include <inttypes.h>
#include <string.h>

#define LINE_MAX_BYTES (64 * 1024)

/* A tag cannot hold line ends, nor a backslash at its end, which would escape what follows, nor be
 * empty. */
static void add_tag(struct buf *b, const char *value)
{
    size_t len = strlen(value);

    while (len > 0 && value[len - 1] == '\\')
        len--;
    if (len == 0)
        (void)buf_addc(b, '-');
    for (size_t i = 0; i < len;) {
        size_t n = utf8_char_len(value + i, len - i);

        if (n == 0)
            (void)buf_adds(b, UTF8_REPLACEMENT);
        else if (strchr(", =\n\r\t", value[i]))
            (void)buf_addf(b, "\\%c", strchr("\n\r\t", value[i]) ? ' ' : value[i]);
        else
            (void)buf_add(b, value + i, n);
        i += n ? n : 1;
    }
}

static void add_text(struct buf *b, const char *value)
{
    (void)buf_addc(b, '"');
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\')
            (void)buf_addc(b, '\\');
        (void)buf_addc(b, *p);
    }
    (void)buf_addc(b, '"');
}

int influx_add_line(struct buf *b, const struct influx_point *point)
{
    struct buf line = BUF_INIT(LINE_MAX_BYTES);
    int rc = -1;

    (void)buf_adds(&line, "phase\\ result,agent=");
    add_tag(&line, point->agent);
    (void)buf_adds(&line, " phase=");
    add_text(&line, point->phase);
    if (point->result >= 0)
        (void)buf_addf(&line, ",result=%di", point->result);
    (void)buf_addf(&line, " %" PRId64 "000\n", point->time_us);
    if (!buf_failed(&line))
        rc = buf_add(b, buf_text(&line), line.len);
    buf_done(&line);
    return rc;
}
