/* SPDX-License-Identifier: GPL-3.0-or-later
 * Durations, times, UUIDs and numbers from any text: no crash, no overflow, and what was accepted
 * is in the promised range. */
#include "common/parse.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char uuid[UUID_TEXT_SIZE];
    char again[UUID_TEXT_SIZE];
    char *text = malloc(size + 1);
    int64_t value;
    bool truth;

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    if (parse_duration(text, &value, NULL) == 0)
        assert(value >= 0);
    if (parse_int64(text, -10, 10, &value, NULL) == 0)
        assert(value >= -10 && value <= 10);
    (void)parse_time(text, &value, NULL);
    (void)parse_bool(text, &truth, NULL);
    (void)parse_utf8_valid(text, size);
    if (parse_uuid(text, size, uuid, NULL) == 0) {
        assert(parse_uuid(uuid, strlen(uuid), again, NULL) == 0);
        assert(strcmp(uuid, again) == 0);
    }
    free(text);
    return 0;
}
