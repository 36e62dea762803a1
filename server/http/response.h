/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a handler fills.  A handler returns 0 with *res filled, or -1 with *err set, and then *res
 * is ignored except for error_detail and notes.  It never sends. */
#ifndef SERVER_HTTP_RESPONSE_H
#define SERVER_HTTP_RESPONSE_H

#include "common/buf.h"
#include "common/err.h"
#include "server/audit.h"
#include "server/http/park.h"
#include "server/http/request.h"
#include "server/wake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESPONSE_BODY_MAX    ((size_t)64 << 20)
#define RESPONSE_HEADERS_MAX 8
#define RESPONSE_VALUE_MAX   4200 /* a cookie with a name of 1,000 bytes, each as \ooo */
#define RESPONSE_NOTES_MAX   2
#define RESPONSE_ABOUT_SIZE  256
#define STREAM_PIECE_MAX     ((size_t)256 << 10) /* bytes a stream should add per call */

struct app;

/* A stream's next(): nothing to send before wait_key changes or it is time to ask again. */
#define STREAM_WAITS 2

/* A body made piece by piece, each on a worker with its own database connection, so that no
 * connection or transaction waits for a slow client. */
struct stream {
    /* Adds the next piece to *piece (empty when called).  Returns 1 if there may be more, 0 after
     * the last one, STREAM_WAITS, -1 with *err set (the connection is then cut). */
    int (*next)(struct app *app, void *state, struct buf *piece, struct err *err);
    void (*free)(void *state); /* called once, from any thread */
    void *state;
    int64_t size_bytes; /* -1: not known, the body goes out chunked */
    uint64_t wait_key;  /* wake_key() */
    int64_t wait_ms;
};

/* A request that has nothing to say yet. */
struct response_wait {
    int64_t seconds; /* 0: it does not wait */
    struct park_key *keys;
    size_t count, size;
    uint64_t group;
    bool soon; /* looks again within a second or two, woken or not */
    bool pass; /* others of the group may find something */
    bool none; /* with an answer: others of the group would find nothing */
    char memo[WAIT_MEMO_SIZE];
};

struct response {
    int status;               /* 200 unless the handler says otherwise */
    const char *content_type; /* a constant; NULL with an empty body */
    struct buf body;
    struct stream stream; /* used when .next is set; body is ignored then */
    struct {
        const char *name; /* a constant */
        char *value;
    } headers[RESPONSE_HEADERS_MAX];
    size_t header_count;
    struct response_wait wait;
    struct buf error_detail; /* JSON text for "detail" of an error */
    /* for the security log, with an error too */
    struct {
        enum audit_what what;
        char about[RESPONSE_ABOUT_SIZE];
    } notes[RESPONSE_NOTES_MAX];
    size_t note_count;
};

/* "OK", text/plain. */
int response_ok(struct response *res);
/* Text as given, text/plain. */
int response_text(struct response *res, const char *text);
/* JSON text as given, application/json. */
int response_json(struct response *res, const char *text, size_t len);
/* Instead of an answer: asks again when a key changes, and after so many seconds for the last time.
 * Only if the request is not over (request.h). */
void response_wait(struct response *res, int64_t seconds);
/* Adds a key; in_turn: see server/http/park.h, with the group set. */
int response_wait_for(struct response *res, enum wake_kind kind, const char *name, bool in_turn,
                      struct err *err);

/* 204, no body. */
int response_none(struct response *res);
/* name must be a constant; a value with control characters or too long is refused. */
int response_header(struct response *res, const char *name, const char *value, struct err *err);

/* Something the security log shall tell; about: whom or what (cut if long), never a secret. */
void response_note(struct response *res, enum audit_what what, const char *about);

/* The version of what is answered, as ETag; weak: the bytes may differ. */
enum etag_kind { ETAG_STRONG, ETAG_WEAK };
int response_etag(struct response *res, enum etag_kind kind, const char *version, struct err *err);
/* 304: the client has this version.  The headers stay. */
int response_unchanged(struct response *res);

/* Set-Cookie for all paths, not for scripts; the value is quoted as today's agents read it. */
int response_cookie(struct response *res, const char *name, const char *value, struct err *err);

#endif
