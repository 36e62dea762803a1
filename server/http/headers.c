/* SPDX-License-Identifier: GPL-3.0-or-later
 * One block of memory holds all fields of a request; it never grows, since pointers into it are
 * handed out. */
#include "server/http/headers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *store(struct headers *h, const char *text, size_t len, bool lower)
{
    char *out = h->memory + h->used;

    for (size_t i = 0; i < len; i++)
        out[i] = lower ? (char)tolower((unsigned char)text[i]) : text[i];
    out[len] = '\0';
    h->used += len + 1;
    return out;
}

/* A field was sent with a colon and an end of line, which make room for its two NULs. */
int headers_init(struct headers *h, size_t sent_bytes, struct err *err)
{
    h->count = h->used = 0;
    h->size = sent_bytes;
    h->memory = malloc(sent_bytes + 1);
    return h->memory ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

int headers_add(struct headers *h, const char *name, size_t name_len, const char *value,
                size_t value_len, struct err *err)
{
    if (h->count == HEADERS_MAX || !h->memory || name_len + value_len + 2 > h->size - h->used)
        return err_set(err, ERR_BAD_REQUEST, "too many header fields");
    if (memchr(name, '\0', name_len) || (value_len && memchr(value, '\0', value_len)))
        return err_set(err, ERR_BAD_REQUEST, "a header field holds a zero character");
    h->items[h->count].name = store(h, name, name_len, true);
    h->items[h->count].value = store(h, value, value_len, false);
    h->count++;
    return 0;
}

void headers_done(struct headers *h)
{
    free(h->memory);
    h->memory = NULL;
    h->count = h->used = 0;
}

const char *headers_get(const struct headers *h, const char *name)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->items[i].name, name) == 0)
            return h->items[i].value;
    return NULL;
}

static size_t count_of(const struct headers *h, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->items[i].name, name) == 0)
            count++;
    return count;
}

/* Digits only: "+5", "5, 5" and " 5" are read differently by different programs. */
static int parse_length(const char *text, int64_t *ret_length, struct err *err)
{
    if (!*text || text[strspn(text, "0123456789")] ||
        parse_int64(text, 0, INT64_MAX, ret_length, err) < 0)
        return err_set(err, ERR_BAD_REQUEST, "Content-Length is not a number");
    return 0;
}

int headers_framing(const struct headers *h, int64_t *ret_length, struct err *err)
{
    const char *length = headers_get(h, "content-length");
    const char *coding = headers_get(h, "transfer-encoding");

    if (count_of(h, "content-length") > 1 || count_of(h, "transfer-encoding") > 1)
        return err_set(err, ERR_BAD_REQUEST, "the length of the body is given twice");
    if (length && coding)
        return err_set(err, ERR_BAD_REQUEST,
                       "Content-Length and Transfer-Encoding exclude each other");
    if (coding && strcasecmp(coding, "chunked") != 0)
        return err_set(err, ERR_BAD_REQUEST, "Transfer-Encoding is not \"chunked\"");
    if (coding) {
        *ret_length = -1;
        return 0;
    }
    *ret_length = 0;
    return length ? parse_length(length, ret_length, err) : 0;
}

bool headers_json(const struct headers *h)
{
    static const char type[] = "application/";
    const char *text = headers_get(h, "content-type");
    size_t len;

    if (!text)
        return false;
    len = strcspn(text, ";");
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    if (len < sizeof(type) - 1 || strncasecmp(text, type, sizeof(type) - 1) != 0)
        return false;
    text += sizeof(type) - 1;
    len -= sizeof(type) - 1;
    if (len == 4 && strncasecmp(text, "json", 4) == 0)
        return true;
    return len > 5 && strncasecmp(text + len - 5, "+json", 5) == 0;
}
