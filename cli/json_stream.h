/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads JSON as it arrives, in constant memory: logs and results may be larger than memory.  Texts
 * are passed on decoded, in pieces that end between characters of the input, with the keys that
 * lead to them. */
#ifndef CLI_JSON_STREAM_H
#define CLI_JSON_STREAM_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JSON_STREAM_DEPTH 32 /* deeper nesting is refused */
#define JSON_STREAM_KEYS  4  /* levels whose keys are kept */
#define JSON_STREAM_KEY   64 /* bytes of a key that are kept, with its NUL */
#define JSON_STREAM_WORD  64 /* bytes of a number or word, with its NUL */

struct json_stream;

struct json_events {
    /* A piece of a text value (len may be 0); last: it ends here.  Anything but 0 stops. */
    int (*text)(void *arg, const struct json_stream *stream, const char *data, size_t len,
                bool last);
    /* A number, true, false or null. */
    int (*word)(void *arg, const struct json_stream *stream, const char *word);
};

struct json_stream {
    const struct json_events *events;
    void *arg;
    int mode;
    int escape;         /* 0 none, 1 after a backslash, else 1 + hex digits still to come */
    uint32_t unit;      /* \uXXXX as far as read */
    uint32_t surrogate; /* a first half that waits for its second, or 0 */
    size_t depth;
    bool object[JSON_STREAM_DEPTH]; /* else an array */
    char keys[JSON_STREAM_KEYS][JSON_STREAM_KEY];
    size_t len; /* of the key or word being read */
    char word[JSON_STREAM_WORD];
};

void json_stream_init(struct json_stream *s, const struct json_events *events, void *arg);
/* Takes the next piece of the document. */
int json_stream_feed(struct json_stream *s, const char *data, size_t len, struct err *err);
/* True once one whole value was read. */
bool json_stream_complete(const struct json_stream *s);
/* The key at a level (0 is the outermost), "" in arrays and beyond what is kept. */
const char *json_stream_key(const struct json_stream *s, size_t level);

#endif
