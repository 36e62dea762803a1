/* SPDX-License-Identifier: GPL-3.0-or-later
 * Strings of JSON: UTF-8 with escapes.  One without escapes, as nearly all are, is not copied. */
#include "common/json_reader.h"

#include "common/utf8.h"

#include <string.h>

int reader_refuse(struct json_reader *r, const char *why)
{
    return err_set(r->err, ERR_BAD_REQUEST, "not valid JSON: %s at byte %td", why,
                   r->at - r->start);
}

int reader_no_memory(struct json_reader *r)
{
    return err_set(r->err, ERR_INTERNAL, "out of memory");
}

bool reader_take_word(struct json_reader *r, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static int read_hex(struct json_reader *r, uint32_t *ret_code)
{
    uint32_t code = 0;

    if (r->end - r->at < 4)
        return reader_refuse(r, "\\u without four hexadecimal digits");
    for (int i = 0; i < 4; i++) {
        char c = r->at[i];
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        else
            return reader_refuse(r, "\\u without four hexadecimal digits");
        code = code << 4 | digit;
    }
    r->at += 4;
    *ret_code = code;
    return 0;
}

/* Behind "\u": one character, from two escapes if the first is half of a surrogate pair. */
static int read_unicode(struct json_reader *r, struct json_span *span)
{
    uint32_t code, low;
    char bytes[4];

    if (read_hex(r, &code) < 0)
        return -1;
    if (code >= 0xD800 && code <= 0xDBFF && reader_take_word(r, "\\u")) {
        const char *second = r->at - 2;

        if (read_hex(r, &low) < 0)
            return -1;
        if (low >= 0xDC00 && low <= 0xDFFF)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        else
            r->at = second; /* two characters; the first is a fault */
    }
    if (code >= 0xD800 && code <= 0xDFFF)
        span->faulty = true;
    return buf_add(&r->decoded, bytes, utf8_encode(code, bytes)) < 0 ? reader_no_memory(r) : 0;
}

static int read_escape(struct json_reader *r, struct json_span *span)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *name;

    if (reader_take(r, 'u'))
        return read_unicode(r, span);
    name = r->at < r->end && *r->at ? strchr(names, *r->at) : NULL;
    if (!name)
        return reader_refuse(r, "unknown escape");
    r->at++;
    return buf_addc(&r->decoded, values[name - names]) < 0 ? reader_no_memory(r) : 0;
}

/* Moves over characters that stand for themselves. */
static int skip_plain(struct json_reader *r)
{
    while (r->at < r->end && *r->at != '"' && *r->at != '\\') {
        size_t n;

        if (*r->at >= 0x20 && (unsigned char)*r->at < 0x80) { /* nearly all there is */
            r->at++;
            continue;
        }
        n = utf8_char_len(r->at, (size_t)(r->end - r->at));
        if (n == 0)
            return reader_refuse(r, "text that is not UTF-8");
        if ((unsigned char)*r->at < 0x20)
            return reader_refuse(r, "control character in a string");
        r->at += n;
    }
    return r->at < r->end ? 0 : reader_refuse(r, "string without an end");
}

int reader_string(struct json_reader *r, struct json_span *ret_span)
{
    struct json_span span = {.text = r->at};

    buf_clear(&r->decoded);
    if (skip_plain(r) < 0)
        return -1;
    if (reader_take(r, '"')) {
        span.len = (size_t)(r->at - 1 - span.text);
        *ret_span = span;
        return 0;
    }
    for (const char *from = span.text;; from = r->at) {
        if (skip_plain(r) < 0)
            return -1;
        if (buf_add(&r->decoded, from, (size_t)(r->at - from)) < 0)
            return reader_no_memory(r);
        if (reader_take(r, '"'))
            break;
        r->at++; /* the backslash */
        if (read_escape(r, &span) < 0)
            return -1;
    }
    span.text = buf_text(&r->decoded);
    span.len = r->decoded.len;
    *ret_span = span;
    return 0;
}
