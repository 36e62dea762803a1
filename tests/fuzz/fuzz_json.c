/* SPDX-License-Identifier: GPL-3.0-or-later
 * The JSON reader decides what json-c gets: whatever it lets through must parse, print, and be
 * let through again with the same canonical text. */
#include "common/json.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_read_again(struct json_object *json)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    struct buf canonical = BUF_INIT(TEXT_MAX);
    struct buf canonical_again = BUF_INIT(TEXT_MAX);
    struct json_object *again = NULL;

    assert(jsn_add_tree(&text, json) == 0);
    assert(jsn_parse(buf_text(&text), text.len, &again, NULL) == 0);
    assert(jsn_add_canonical(&canonical, json) == 0);
    assert(jsn_add_canonical(&canonical_again, again) == 0);
    assert(canonical.len == canonical_again.len);
    assert(memcmp(canonical.data, canonical_again.data, canonical.len) == 0);
    json_object_put(again);
    buf_done(&text);
    buf_done(&canonical);
    buf_done(&canonical_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_object *json = NULL;
    struct json_object *with_faults = NULL;
    const char *text = (const char *)data;

    if (size > TEXT_MAX / 16) /* \u00XX is six times its byte */
        return 0;
    if (jsn_parse_faults(text, size, &with_faults, NULL) < 0) {
        assert(jsn_parse(text, size, &json, NULL) < 0);
        return 0;
    }
    json_object_put(with_faults);
    if (jsn_parse(text, size, &json, NULL) < 0)
        return 0;
    print_and_read_again(json);
    json_object_put(json);
    return 0;
}
