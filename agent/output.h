/* SPDX-License-Identifier: GPL-3.0-or-later
 * One log of one phase on its way from the command to the server.
 *
 *     pipe -> mask -> repair UTF-8 -> file on disk -> fragments of at most 64 KiB
 *
 * The file takes whatever the server does not take at once, so memory stays small however much a
 * command prints and however slow the server is.  Of a log longer than its limit the beginning is
 * sent as it comes and the last part (a tenth of the limit, at most 1 MiB) when the phase has
 * ended; what lies between is given back to the file system.  While the disk is full a small
 * buffer stands in for the file.
 *
 * A mark is all that is needed to go on after a restart: what the server has for sure, and how far
 * the fragment went whose reply did not come any more.  That one is cut at the same place again,
 * by which the server knows it. */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include "agent/mask.h"
#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTPUT_FRAGMENT_MAX (64 * 1024)
#define OUTPUT_PIECE_MAX    (64 * 1024)
#define OUTPUT_SPARE_MAX    (1024 * 1024)

struct output_mark {
    uint64_t sent;    /* bytes of the file with the server */
    uint64_t offered; /* where the fragment that is under way ends; 0: none is, or it is no text of
                         the file */
};

struct output {
    int fd;
    uint64_t size; /* of the file */
    uint64_t sent;
    uint64_t cut;      /* the next fragment ends there, if it is beyond sent */
    uint64_t head_max; /* sent as it comes */
    uint64_t tail_max; /* sent at the end, if the log is longer than both */
    uint64_t punched;  /* the file is empty from head_max to here */
    enum { OUTPUT_HEAD, OUTPUT_TAIL } stage; /* tail: the note about the gap was sent */
    bool ended;

    const struct mask *mask;
    struct buf held;   /* by the mask */
    struct buf broken; /* bytes of an unfinished character */
    struct buf spare;  /* instead of the file, after it */
    uint64_t spare_sent;
    bool disk_full;
    bool no_holes; /* the file system cannot give the middle back: the file grows no more */

    /* the fragment being sent: where it came from, and where it ends there */
    enum { OUTPUT_OFFER_NONE, OUTPUT_OFFER_FILE, OUTPUT_OFFER_GAP, OUTPUT_OFFER_SPARE } offer;
    uint64_t offer_end;
};

/* Creates the file.  *output need not be initialised, here and below. */
int output_open(struct output *output, const char *path, int64_t limit, const struct mask *mask,
                struct err *err);
/* Goes on writing at the end of a log that an agent began which is no more. */
int output_append(struct output *output, const char *path, int64_t limit, const struct mask *mask,
                  struct err *err);
/* Takes up a log to which nothing is added. */
int output_resume(struct output *output, const char *path, int64_t limit, struct err *err);
/* Of a log taken up: this much is with the server. */
void output_set_mark(struct output *output, const struct output_mark *mark);
void output_done(struct output *output);

/* At most OUTPUT_PIECE_MAX bytes of what the command printed. */
void output_add(struct output *output, const char *data, size_t len);
/* A text of ours. */
void output_say(struct output *output, const char *text);
/* The same, of a log that may have ended: then it has again. */
void output_note(struct output *output, const struct mask *mask, const char *text);
/* Nothing more comes: what was held back goes out. */
void output_end(struct output *output);

/* Bytes that could be sent now (of a gap: its note). */
size_t output_pending(const struct output *output);
/* Appends the next fragment, at most max bytes and not in mid-character; 0 bytes: there is none. */
int output_next(struct output *output, size_t max, struct buf *ret_text, struct err *err);
/* For the record, before the fragment goes out and when it was taken. */
struct output_mark output_mark(const struct output *output);
/* The server has the fragment (or refused it for good). */
void output_taken(struct output *output);

#endif
