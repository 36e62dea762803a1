/* SPDX-License-Identifier: GPL-3.0-or-later
 * The parser: each part takes what it can of the piece. */
#include "tests/bench/load/reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void reply_begin(struct reply *reply)
{
    reply->part = REPLY_HEAD;
    reply->status = 0;
    reply->closes = false;
    reply->left = reply->body_bytes = 0;
    reply->line_len = reply->begin_len = 0;
    reply->begin[0] = reply->tail[0] = reply->line[0] = '\0';
}

/* The value of a header, NULL if it is not there; names as they are spelt usually. */
static const char *header(const struct reply *reply, const char *name)
{
    const char *found = strcasestr(reply->line, name);

    return found ? found + strlen(name) : NULL;
}

static int read_head(struct reply *reply, struct err *err)
{
    const char *length = header(reply, "\r\nContent-Length: ");

    if (strncmp(reply->line, "HTTP/1.1 ", 9) != 0)
        return err_set(err, ERR_INVALID, "an answer is not HTTP/1.1: %.40s", reply->line);
    reply->status = (int)strtol(reply->line + 9, NULL, 10);
    reply->closes = header(reply, "\r\nConnection: close") != NULL;
    if (header(reply, "\r\nTransfer-Encoding: chunked")) {
        reply->part = REPLY_CHUNK_LINE;
    } else {
        reply->left = length && reply->status != 304 ? strtoull(length, NULL, 10) : 0;
        reply->part = reply->left > 0 ? REPLY_BODY : REPLY_DONE;
    }
    reply->line_len = 0;
    return 0;
}

/* Adds to the line until it ends with `end`; returns bytes taken, and *ret_whole if that is it. */
static size_t take_line(struct reply *reply, const char *data, size_t len, const char *end,
                        bool *ret_whole)
{
    size_t end_len = strlen(end), taken = 0;

    *ret_whole = false;
    while (taken < len && reply->line_len < REPLY_HEAD_MAX && !*ret_whole) {
        reply->line[reply->line_len++] = data[taken++];
        *ret_whole = reply->line_len >= end_len &&
                     memcmp(reply->line + reply->line_len - end_len, end, end_len) == 0;
    }
    reply->line[reply->line_len] = '\0';
    return taken;
}

static void see(struct reply *reply, const char *data, size_t len)
{
    size_t room = REPLY_SEEN - reply->begin_len;
    size_t more = len < room ? len : room;
    size_t kept = strlen(reply->tail);
    size_t last = len < REPLY_SEEN ? len : REPLY_SEEN;

    reply->body_bytes += len;
    memcpy(reply->begin + reply->begin_len, data, more);
    reply->begin_len += more;
    reply->begin[reply->begin_len] = '\0';
    if (kept + last > REPLY_SEEN) {
        memmove(reply->tail, reply->tail + kept + last - REPLY_SEEN, REPLY_SEEN - last);
        kept = REPLY_SEEN - last;
    }
    memcpy(reply->tail + kept, data + len - last, last);
    reply->tail[kept + last] = '\0';
}

static size_t take_body(struct reply *reply, const char *data, size_t len)
{
    size_t taken = len < reply->left ? len : (size_t)reply->left;

    see(reply, data, taken);
    reply->left -= taken;
    if (reply->left == 0)
        reply->part = REPLY_DONE;
    return taken;
}

/* A chunk has a line end of two bytes behind it. */
static size_t take_chunk(struct reply *reply, const char *data, size_t len)
{
    size_t taken = len < reply->left ? len : (size_t)reply->left;
    uint64_t content = reply->left > 2 ? reply->left - 2 : 0;

    see(reply, data, taken < content ? taken : (size_t)content);
    reply->left -= taken;
    if (reply->left == 0)
        reply->part = REPLY_CHUNK_LINE;
    return taken;
}

static size_t take_chunk_line(struct reply *reply, const char *data, size_t len)
{
    bool whole;
    size_t taken = take_line(reply, data, len, "\r\n", &whole);

    if (whole) {
        reply->left = strtoull(reply->line, NULL, 16) + 2;
        reply->part = reply->left > 2 ? REPLY_CHUNK : REPLY_TRAILER;
        reply->line_len = 0;
    }
    return taken;
}

/* We know of no trailers: an empty line. */
static size_t take_trailer(struct reply *reply, const char *data, size_t len)
{
    bool whole;
    size_t taken = take_line(reply, data, len, "\r\n", &whole);

    if (whole)
        reply->part = REPLY_DONE;
    return taken;
}

static int take_head(struct reply *reply, const char *data, size_t len, size_t *ret_taken,
                     struct err *err)
{
    bool whole;

    *ret_taken = take_line(reply, data, len, "\r\n\r\n", &whole);
    if (!whole && reply->line_len == REPLY_HEAD_MAX)
        return err_set(err, ERR_TOO_LARGE, "the header of an answer is too long");
    return whole ? read_head(reply, err) : 0;
}

int reply_take(struct reply *reply, const char *data, size_t len, struct err *err)
{
    size_t taken;

    for (; len > 0; data += taken, len -= taken) {
        taken = 0;
        switch (reply->part) {
        case REPLY_HEAD:
            if (take_head(reply, data, len, &taken, err) < 0)
                return -1;
            break;
        case REPLY_BODY:
            taken = take_body(reply, data, len);
            break;
        case REPLY_CHUNK_LINE:
            taken = take_chunk_line(reply, data, len);
            break;
        case REPLY_CHUNK:
            taken = take_chunk(reply, data, len);
            break;
        case REPLY_TRAILER:
            taken = take_trailer(reply, data, len);
            break;
        case REPLY_DONE:
            break;
        }
        if (taken == 0)
            return err_set(err, ERR_INVALID, "something came behind an answer");
    }
    return 0;
}

/* What stands behind "name": in the text, blanks left out; NULL if it is not there. */
static const char *member(const char *text, const char *name)
{
    const char *found = strstr(text, name);

    if (!found)
        return NULL;
    found += strlen(name);
    return found + strspn(found, " ");
}

bool reply_job(const struct reply *reply, char ret_job[static UUID_TEXT_SIZE])
{
    static const char name[] = "\"job_id\":";
    const char *value = member(reply->begin, name);

    if (!value)
        value = member(reply->tail, name);
    return value && *value == '"' && strlen(value) > UUID_TEXT_SIZE &&
           parse_uuid(value + 1, UUID_TEXT_SIZE - 1, ret_job, NULL) == 0;
}

bool reply_fragment(const struct reply *reply, int64_t *ret_number)
{
    const char *value = member(reply->tail, "\"last_fragment_number\":");

    if (!value)
        return false;
    *ret_number = strtoll(value, NULL, 10);
    return true;
}
