/* SPDX-License-Identifier: GPL-3.0-or-later
 * Base64 as it comes in Authorization: Basic: never more comes out than fits, and without padding
 * it means the same. */
#include "common/base64.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DATA_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct buf all = BUF_INIT(DATA_MAX), bare = BUF_INIT(DATA_MAX), few = BUF_INIT(8);
    size_t len = size;

    if (base64_decode(text, size, &few) == 0)
        assert(few.len <= 8);
    if (base64_decode(text, size, &all) == 0) {
        assert(all.len <= size / 4 * 3 + 2);
        while (len > 0 && text[len - 1] == '=')
            len--;
        assert(base64_decode(text, len, &bare) == 0);
        assert(bare.len == all.len && (all.len == 0 || memcmp(bare.data, all.data, all.len) == 0));
    }
    buf_done(&all);
    buf_done(&bare);
    buf_done(&few);
    return 0;
}
