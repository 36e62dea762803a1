/* SPDX-License-Identifier: GPL-3.0-or-later
 * Every schema of the route table: the first byte says which.  What is taken is taken again when it
 * was stored; what is refused is refused with reasons that are JSON. */
#include "common/json.h"
#include "common/schema.h"
#include "server/routes.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct schema *nth_schema(size_t n)
{
    for (size_t i = 0;; i = (i + 1) % route_count)
        if (routes[i].schema && n-- == 0)
            return routes[i].schema;
}

static void load_again(const struct schema *schema, struct json_object *json)
{
    struct buf text = BUF_INIT(TEXT_MAX), detail = BUF_INIT(TEXT_MAX);
    struct json_object *again = NULL;

    assert(jsn_add_tree(&text, json) == 0);
    assert(schema_load(schema, buf_text(&text), text.len, &again, &detail, NULL) == 0);
    json_object_put(again);
    buf_done(&text);
    buf_done(&detail);
}

static void check_refusal(const struct err *err, const struct buf *detail)
{
    struct json_object *reasons = NULL;

    assert(err->code == ERR_BAD_REQUEST || err->code == ERR_INVALID || err->code == ERR_TOO_LARGE);
    if (err->code == ERR_INVALID) {
        assert(jsn_parse(detail->data, detail->len, &reasons, NULL) == 0);
        json_object_put(reasons);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf detail = BUF_INIT(TEXT_MAX);
    struct json_object *json = NULL;
    struct err err = ERR_INIT;
    const struct schema *schema;

    if (size < 1 || size > TEXT_MAX / 64)
        return 0;
    schema = nth_schema(data[0] % 64);
    if (schema_load(schema, (const char *)data + 1, size - 1, &json, &detail, &err) == 0)
        load_again(schema, json);
    else
        check_refusal(&err, &detail);
    json_object_put(json);
    buf_done(&detail);
    return 0;
}
