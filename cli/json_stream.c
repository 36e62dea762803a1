/* SPDX-License-Identifier: GPL-3.0-or-later
 * The incremental reader: one mode per place in the grammar, one small function per mode. */
#include "cli/json_stream.h"

#include <string.h>

enum mode { WANT_VALUE, WANT_KEY, WANT_COLON, WANT_NEXT, IN_KEY, IN_TEXT, IN_WORD, FINISHED };

void json_stream_init(struct json_stream *s, const struct json_events *events, void *arg)
{
    *s = (struct json_stream){.events = events, .arg = arg, .mode = WANT_VALUE};
}

bool json_stream_complete(const struct json_stream *s)
{
    return s->mode == FINISHED;
}

const char *json_stream_key(const struct json_stream *s, size_t level)
{
    return level < s->depth && level < JSON_STREAM_KEYS && s->object[level] ? s->keys[level] : "";
}

static int malformed(struct err *err)
{
    return err_set(err, ERR_UPSTREAM, "the answer is not JSON");
}

static int stopped(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "could not write the output");
}

static void value_ended(struct json_stream *s)
{
    s->mode = s->depth > 0 ? WANT_NEXT : FINISHED;
}

static int open_container(struct json_stream *s, bool object, struct err *err)
{
    if (s->depth == JSON_STREAM_DEPTH)
        return err_set(err, ERR_UPSTREAM, "the answer is nested too deeply");
    s->object[s->depth++] = object;
    if (s->depth <= JSON_STREAM_KEYS)
        s->keys[s->depth - 1][0] = '\0';
    s->mode = object ? WANT_KEY : WANT_VALUE;
    return 0;
}

static int close_container(struct json_stream *s, bool object, struct err *err)
{
    if (s->depth == 0 || s->object[s->depth - 1] != object)
        return malformed(err);
    s->depth--;
    value_ended(s);
    return 0;
}

static int start_value(struct json_stream *s, char c, struct err *err)
{
    s->len = 0;
    if (c == '{' || c == '[')
        return open_container(s, c == '{', err);
    if (c == ']')
        return close_container(s, false, err);
    if (c == '"') {
        s->mode = IN_TEXT;
        return 0;
    }
    if (!c || !strchr("-0123456789tfn", c))
        return malformed(err);
    s->word[s->len++] = c;
    s->mode = IN_WORD;
    return 0;
}

static int start_key(struct json_stream *s, char c, struct err *err)
{
    if (c == '}')
        return close_container(s, true, err);
    if (c != '"')
        return malformed(err);
    s->mode = IN_KEY;
    s->len = 0;
    if (s->depth <= JSON_STREAM_KEYS)
        s->keys[s->depth - 1][0] = '\0';
    return 0;
}

static int next_member(struct json_stream *s, char c, struct err *err)
{
    if (c == ',') {
        s->mode = s->object[s->depth - 1] ? WANT_KEY : WANT_VALUE;
        return 0;
    }
    if (c != '}' && c != ']')
        return malformed(err);
    return close_container(s, c == '}', err);
}

/* A piece of the key or text being read; what does not fit into a kept key is cut. */
static int emit(struct json_stream *s, const char *data, size_t len, bool last, struct err *err)
{
    size_t level = s->depth - 1;

    if (s->mode == IN_TEXT)
        return s->events->text(s->arg, s, data, len, last) != 0 ? stopped(err) : 0;
    if (level >= JSON_STREAM_KEYS)
        return 0;
    if (len > JSON_STREAM_KEY - 1 - s->len)
        len = JSON_STREAM_KEY - 1 - s->len;
    if (len > 0)
        memcpy(s->keys[level] + s->len, data, len);
    s->len += len;
    s->keys[level][s->len] = '\0';
    return 0;
}

static size_t to_utf8(uint32_t code, char text[static 4])
{
    if (code < 0x80) {
        text[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        text[0] = (char)(0xC0 | code >> 6);
        text[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        text[0] = (char)(0xE0 | code >> 12);
        text[1] = (char)(0x80 | (code >> 6 & 0x3F));
        text[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    text[0] = (char)(0xF0 | code >> 18);
    text[1] = (char)(0x80 | (code >> 12 & 0x3F));
    text[2] = (char)(0x80 | (code >> 6 & 0x3F));
    text[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

static int emit_code(struct json_stream *s, uint32_t code, struct err *err)
{
    char text[4];

    return emit(s, text, to_utf8(code, text), false, err);
}

/* A first half of a pair that got no second half stands for nothing. */
static int drop_surrogate(struct json_stream *s, struct err *err)
{
    if (!s->surrogate)
        return 0;
    s->surrogate = 0;
    return emit_code(s, 0xFFFD, err);
}

static int unit_ended(struct json_stream *s, struct err *err)
{
    uint32_t unit = s->unit;

    if (s->surrogate && unit >= 0xDC00 && unit < 0xE000) {
        uint32_t code = 0x10000 + ((s->surrogate - 0xD800) << 10) + (unit - 0xDC00);

        s->surrogate = 0;
        return emit_code(s, code, err);
    }
    if (drop_surrogate(s, err) < 0)
        return -1;
    if (unit >= 0xD800 && unit < 0xDC00) {
        s->surrogate = unit;
        return 0;
    }
    return emit_code(s, unit >= 0xDC00 && unit < 0xE000 ? 0xFFFD : unit, err);
}

static int hex_digit(struct json_stream *s, char c, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

    if (!found || !*found)
        return malformed(err);
    s->unit = s->unit << 4 | (uint32_t)(found - digits);
    if (--s->escape > 1)
        return 0;
    s->escape = 0;
    return unit_ended(s, err);
}

static int escaped(struct json_stream *s, char c, struct err *err)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *found = strchr(names, c);

    if (s->escape > 1)
        return hex_digit(s, c, err);
    if (c == 'u') {
        s->escape = 5;
        s->unit = 0;
        return 0;
    }
    if (!found || !*found)
        return malformed(err);
    s->escape = 0;
    if (drop_surrogate(s, err) < 0)
        return -1;
    return emit(s, &values[found - names], 1, false, err);
}

/* Takes a run of a text; returns how many bytes it used, or -1. */
static ssize_t text_run(struct json_stream *s, const char *data, size_t len, struct err *err)
{
    size_t run = 0;

    if (s->escape)
        return escaped(s, data[0], err) < 0 ? -1 : 1;
    if (data[0] == '\\') {
        s->escape = 1;
        return 1;
    }
    if (drop_surrogate(s, err) < 0)
        return -1;
    if (data[0] == '"') {
        if (emit(s, "", 0, true, err) < 0)
            return -1;
        if (s->mode == IN_KEY)
            s->mode = WANT_COLON;
        else
            value_ended(s);
        return 1;
    }
    while (run < len && data[run] != '"' && data[run] != '\\')
        run++;
    return emit(s, data, run, false, err) < 0 ? -1 : (ssize_t)run;
}

/* The byte after a number or word ends it and is looked at again. */
static ssize_t word_byte(struct json_stream *s, char c, struct err *err)
{
    if (c && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", c)) {
        if (s->len == JSON_STREAM_WORD - 1)
            return malformed(err);
        s->word[s->len++] = c;
        return 1;
    }
    s->word[s->len] = '\0';
    if (s->events->word(s->arg, s, s->word) != 0)
        return stopped(err);
    value_ended(s);
    return 0;
}

static int structure_byte(struct json_stream *s, char c, struct err *err)
{
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
        return 0;
    if (s->mode == WANT_VALUE)
        return start_value(s, c, err);
    if (s->mode == WANT_KEY)
        return start_key(s, c, err);
    if (s->mode == WANT_NEXT)
        return next_member(s, c, err);
    if (s->mode != WANT_COLON || c != ':')
        return malformed(err);
    s->mode = WANT_VALUE;
    return 0;
}

int json_stream_feed(struct json_stream *s, const char *data, size_t len, struct err *err)
{
    while (len > 0) {
        ssize_t used = 1;

        if (s->mode == IN_KEY || s->mode == IN_TEXT)
            used = text_run(s, data, len, err);
        else if (s->mode == IN_WORD)
            used = word_byte(s, *data, err);
        else if (structure_byte(s, *data, err) < 0)
            used = -1;
        if (used < 0)
            return -1;
        data += used;
        len -= (size_t)used;
    }
    return 0;
}
