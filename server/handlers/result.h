/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the handlers of results only: an answer that carries logs.
 *
 * It is made of a head, sections (one log each) and a tail.  As much as fits into one piece is made
 * at once; what is longer goes out as a stream that reads on, by pieces, in constant memory. */
#ifndef SERVER_HANDLERS_RESULT_H
#define SERVER_HANDLERS_RESULT_H

#include "common/buf.h"
#include "common/clock.h"
#include "common/names.h"
#include "common/parse.h"
#include "server/store/log.h"

#include <stdbool.h>
#include <stddef.h>

struct request;
struct response;

/* How a section begins and ends; they are called with its text between quotes in mind. */
struct log_stream_form {
    const char *tail;
    int (*begin)(struct buf *piece, const char *type, const char *phase, bool first);
    int (*end)(struct buf *piece, int64_t last_number);
};

struct log_section {
    const char *type; /* constants */
    const char *phase;
    bool empty; /* known to hold nothing: not read */
};

#define LOG_SECTIONS_MAX (2 * PHASE_COUNT)

struct log_stream {
    const struct log_stream_form *form;
    char id[UUID_TEXT_SIZE];
    char from_time[CLOCK_TEXT_SIZE]; /* "" if not asked for */
    int64_t from_number;
    int64_t attempt; /* another one that begins meanwhile does not get into it */
    struct buf head;
    size_t head_at;
    struct log_section sections[LOG_SECTIONS_MAX];
    size_t count, at;
    bool begun; /* the section at .at has its beginning */
    struct log_cursor cursor;
};

/* NULL when memory is out. */
struct log_stream *log_stream_new(const struct log_stream_form *form, const char *id);
void log_stream_free(void *stream);
void log_stream_add(struct log_stream *s, const char *type, const char *phase, bool empty);
/* Fills the response as JSON; the stream belongs to it then. */
void log_stream_answer(struct log_stream *s, struct response *res);

/* "output" or "serial", as a constant; NULL for any other type. */
const char *log_type(const char *name);
/* The same of a request's path. */
int log_take_type(const struct request *req, const char **ret_type, struct err *err);
/* Times go to the database in one spelling, and inside the years that every part of it takes: an
 * offset may lead out of them. */
int log_take_time(const char *text, char ret_text[static CLOCK_TEXT_SIZE], struct err *err);

#endif
