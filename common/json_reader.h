/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the JSON reader only: its place in the text, and the strings there. */
#ifndef COMMON_JSON_READER_H
#define COMMON_JSON_READER_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

enum json_fault {
    FAULT_NONE,
    FAULT_INTEGER,
    FAULT_NAN,
    FAULT_SURROGATE,
    FAULT_ZERO_KEY,
    FAULT_COUNT
};

struct json_reader {
    const char *start, *at, *end;
    struct buf decoded; /* the last string that had escapes, and every key */
    enum json_fault first_fault;
    int cost; /* of what was made, in units of JSN_COST_MAX */
    struct err *err;
};

/* A string as it stands in the text, or decoded. */
struct json_span {
    const char *text;
    size_t len;
    bool faulty; /* half of a surrogate pair is in it */
};

/* Each fills the reader's error and returns -1. */
int reader_refuse(struct json_reader *r, const char *why);
int reader_no_memory(struct json_reader *r);

/* Moves over what stands there, if it is that. */
static inline bool reader_take(struct json_reader *r, char c)
{
    if (r->at >= r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}
bool reader_take_word(struct json_reader *r, const char *word);

/* Behind the opening quote.  The result is valid until the next string is read. */
int reader_string(struct json_reader *r, struct json_span *ret_span);

#endif
