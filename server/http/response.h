/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a handler fills.  A handler returns 0 with *res filled, or -1 with *err set, and then *res
 * is ignored except for error_detail and notes.  It never sends. */
#ifndef SERVER_HTTP_RESPONSE_H
#define SERVER_HTTP_RESPONSE_H

#include "common/buf.h"
#include "common/err.h"
#include "server/audit.h"

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

/* A body made piece by piece, each on a worker with its own database connection, so that no
 * connection or transaction waits for a slow client. */
struct stream {
    /* Adds the next piece to *piece (empty when called).  Returns 1 if there may be more, 0 after
     * the last one, -1 with *err set (the connection is then cut). */
    int (*next)(struct app *app, void *state, struct buf *piece, struct err *err);
    void (*free)(void *state); /* called once, from any thread */
    void *state;
    int64_t size_bytes; /* -1: not known, the body goes out chunked */
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
