/* SPDX-License-Identifier: GPL-3.0-or-later
 * Header fields, one a line: the length of the body, its kind, the agent's cookie, a range, a
 * version. A cookie that was read is written and read again as the same. */
#include "server/http/cookie.h"
#include "server/http/headers.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COOKIE_SIZE 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int collect(struct headers *h, const char *text, size_t size)
{
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t len = end ? (size_t)(end - text) : size;
        const char *colon = memchr(text, ':', len);
        size_t name_len = colon ? (size_t)(colon - text) : len;
        size_t skip = colon ? name_len + 1 : len;

        if (headers_add(h, text, name_len, text + skip, len - skip, NULL) < 0)
            return -1;
        len += end ? 1 : 0;
        text += len;
        size -= len;
    }
    return 0;
}

static void read_cookie(const char *header)
{
    char value[COOKIE_SIZE];
    char again[COOKIE_SIZE];
    struct buf text = BUF_INIT(16 * COOKIE_SIZE);

    if (cookie_find(header, "agent_name", value, sizeof(value), NULL) == 1) {
        (void)buf_adds(&text, "a=b; agent_name=");
        assert(cookie_add_value(&text, value) == 0);
        assert(cookie_find(buf_text(&text), "agent_name", again, sizeof(again), NULL) == 1);
        assert(strcmp(value, again) == 0);
    }
    buf_done(&text);
}

static void read_range(const struct headers *h, int64_t size)
{
    struct request req = {.method = "GET", .headers = h->items, .header_count = h->count};
    struct byte_range range;

    (void)request_has_version(&req, "1a");
    if (request_range(&req, "1a", size, &range) == RANGE_PART)
        assert(range.first >= 0 && range.first <= range.last && range.last < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct headers h = {0};
    int64_t length = -2;

    if (headers_init(&h, size, NULL) < 0)
        return 0;
    if (collect(&h, (const char *)data, size) == 0) {
        if (headers_framing(&h, &length, NULL) == 0)
            assert(length >= -1);
        (void)headers_json(&h);
        read_cookie(headers_get(&h, "cookie") ? headers_get(&h, "cookie") : "");
        for (int64_t body = 0; body < 3; body++)
            read_range(&h, body * 500);
        read_range(&h, INT64_MAX);
    }
    headers_done(&h);
    return 0;
}
