/* SPDX-License-Identifier: GPL-3.0-or-later
 * Submitted jobs, the largest of the schemas: what is stored is taken again and stored the same;
 * what is refused is refused with its reasons. */
#include "common/json.h"
#include "server/handlers/handlers.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TEXT_MAX ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load_again(struct json_object *json)
{
    struct buf text = BUF_INIT(TEXT_MAX), text_again = BUF_INIT(TEXT_MAX);
    struct buf detail = BUF_INIT(TEXT_MAX);
    struct json_object *again = NULL;

    assert(jsn_add_tree(&text, json) == 0);
    assert(schema_load(&schema_job, buf_text(&text), text.len, &again, &detail, NULL) == 0);
    assert(jsn_add_tree(&text_again, again) == 0);
    assert(strcmp(buf_text(&text), buf_text(&text_again)) == 0);
    json_object_put(again);
    buf_done(&text);
    buf_done(&text_again);
    buf_done(&detail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf detail = BUF_INIT(TEXT_MAX);
    struct json_object *json = NULL;
    struct err err = ERR_INIT;

    if (size > TEXT_MAX / 64)
        return 0;
    if (schema_load(&schema_job, (const char *)data, size, &json, &detail, &err) == 0)
        load_again(json);
    else
        assert(err.code == ERR_BAD_REQUEST || (err.code == ERR_INVALID && detail.len > 0));
    json_object_put(json);
    buf_done(&detail);
    return 0;
}
