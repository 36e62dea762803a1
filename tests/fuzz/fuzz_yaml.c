/* SPDX-License-Identifier: GPL-3.0-or-later
 * Job files come from anywhere: whatever the reader takes must be written and read again as the
 * same document. */
#include "common/yaml.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX ((size_t)8 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_object *tree = NULL, *again = NULL;
    struct buf text = BUF_INIT(TEXT_MAX);
    struct err err = ERR_INIT;

    if (yml_parse((const char *)data, size, &tree, &err) < 0) {
        assert(err.text[0]);
        return 0;
    }
    if (yml_add_tree(&text, tree, &err) == 0) {
        assert(yml_parse(buf_text(&text), text.len, &again, &err) == 0);
        assert(json_object_equal(tree, again));
    }
    buf_done(&text);
    (void)json_object_put(tree);
    (void)json_object_put(again);
    return 0;
}
