/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writing the log and cutting it into fragments.  Never logs, never talks to the server. */
#include "agent/output.h"

#include "common/utf8.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_MAX  (1024 * 1024)
#define PUNCH_MIN (1024 * 1024) /* below that giving space back is not worth a call */
#define BLOCK     4096
/* a mask may turn one byte into ten, a replacement character one into three */
#define WORK_MAX ((size_t)10 * (OUTPUT_PIECE_MAX + MASK_HELD_MAX))

static const char gap_note[] = "\n*** the middle of this log is left out, it is longer than the "
                               "agent's output_bytes; its end follows when the phase ends ***\n";
static const char full_note[] = "\n*** output was lost here: the agent's disk is full ***\n";
static const char kept_note[] = "\n*** output was lost here: the agent's disk cannot give back the "
                                "middle of a log, and keeps no more of it ***\n";

static int open_log(struct output *o, const char *path, int flags, int64_t limit, struct err *err)
{
    uint64_t most = limit > 0 ? (uint64_t)limit : 0;
    struct stat st;

    *o = (struct output){.tail_max = most / 10 < TAIL_MAX ? most / 10 : TAIL_MAX};
    o->head_max = o->punched = most - o->tail_max;
    buf_init(&o->held, MASK_HELD_MAX);
    buf_init(&o->broken, 4);
    buf_init(&o->spare, OUTPUT_SPARE_MAX);
    /* a job may have put a pipe there, whose other end nobody opens */
    o->fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (o->fd < 0)
        return err_set_errno(err, errno, "could not open \"%s\"", path);
    if (fstat(o->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        output_done(o);
        return err_set(err, ERR_INTERNAL, "\"%s\" is not a file", path);
    }
    o->size = (uint64_t)st.st_size;
    return 0;
}

int output_open(struct output *output, const char *path, int64_t limit, const struct mask *mask,
                struct err *err)
{
    if (open_log(output, path, O_RDWR | O_CREAT | O_TRUNC, limit, err) < 0)
        return -1;
    output->mask = mask;
    return 0;
}

int output_append(struct output *output, const char *path, int64_t limit, const struct mask *mask,
                  struct err *err)
{
    if (open_log(output, path, O_RDWR | O_CREAT, limit, err) < 0)
        return -1;
    output->mask = mask;
    return 0;
}

int output_resume(struct output *output, const char *path, int64_t limit, struct err *err)
{
    if (open_log(output, path, O_RDONLY, limit, err) < 0)
        return -1;
    output->ended = true;
    return 0;
}

void output_set_mark(struct output *output, const struct output_mark *mark)
{
    output->sent = mark->sent < output->size ? mark->sent : output->size;
    output->cut = mark->offered < output->size ? mark->offered : output->size;
    if (output->sent > output->head_max + 3) /* a character more than the head at most */
        output->stage = OUTPUT_TAIL;
}

struct output_mark output_mark(const struct output *output)
{
    bool is_text = output->offer == OUTPUT_OFFER_FILE;

    return (struct output_mark){output->sent, is_text ? output->offer_end : 0};
}

void output_done(struct output *output)
{
    if (output->fd >= 0)
        (void)close(output->fd);
    output->fd = -1;
    buf_done(&output->held);
    buf_done(&output->broken);
    buf_done(&output->spare);
}

/* --- writing ------------------------------------------------------------------------- */

/* The middle of a long log needs no room on the disk; not every file system can do it. */
static void give_back(struct output *o)
{
    uint64_t end = o->size > o->tail_max ? o->size - o->tail_max : 0;
    uint64_t from = (o->punched + BLOCK - 1) / BLOCK * BLOCK;

    end = end / BLOCK * BLOCK;
    if (end < from + PUNCH_MIN)
        return;
    o->no_holes = fallocate(o->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
                            (off_t)(end - from)) < 0;
    o->punched = end;
}

/* What the file did not take.  A spare that is full starts anew: the newest output counts. */
static void store_spare(struct output *o, const char *text, size_t len)
{
    if (o->spare_sent > o->head_max + o->tail_max)
        return;
    if (o->spare.len + len > OUTPUT_SPARE_MAX && o->offer != OUTPUT_OFFER_SPARE) {
        buf_clear(&o->spare);
        (void)buf_adds(&o->spare, o->no_holes ? kept_note : full_note);
    }
    (void)buf_add(&o->spare, text, len);
    o->spare.failed = false;
}

static void store(struct output *o, const char *text, size_t len)
{
    /* what came later must not be sent earlier: the file again only when the spare is empty */
    while (len > 0 && o->spare.len == 0 && !o->no_holes) {
        ssize_t n = pwrite(o->fd, text, len, (off_t)o->size);

        if (n < 0 && errno == EINTR)
            continue;
        o->disk_full = n <= 0;
        if (n <= 0)
            break;
        o->size += (uint64_t)n;
        text += n;
        len -= (size_t)n;
    }
    if (len > 0)
        store_spare(o, text, len);
    give_back(o);
}

/* True if text may become a character when more bytes come. */
static bool is_unfinished(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)*text;
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
    char whole[4] = {text[0], (char)0x80, (char)0x80, (char)0x80};

    if (len >= want || lead > 0xf4)
        return false;
    /* after E0 and F0 the next byte begins higher; what is there already decides if it is there */
    whole[1] = lead == 0xe0 ? (char)0xa0 : lead == 0xf0 ? (char)0x90 : (char)0x80;
    memcpy(whole, text, len);
    return utf8_char_len(whole, want) == want;
}

/* Appends text to *out with every byte that belongs to no character replaced; an unfinished one at
 * the end waits in o->broken. */
static void repair(struct output *o, const char *text, size_t len, struct buf *out)
{
    size_t plain = 0;
    size_t at = 0;

    while (at < len) {
        size_t n = (unsigned char)text[at] < 0x80 ? 1 : utf8_char_len(text + at, len - at);

        if (n > 0) {
            at += n;
            continue;
        }
        (void)buf_add(out, text + plain, at - plain);
        if (!o->ended && is_unfinished(text + at, len - at)) {
            (void)buf_add(&o->broken, text + at, len - at);
            return;
        }
        (void)buf_adds(out, UTF8_REPLACEMENT);
        plain = ++at;
    }
    (void)buf_add(out, text + plain, at - plain);
}

static void store_repaired(struct output *o, const struct buf *masked)
{
    struct buf joined = BUF_INIT(WORK_MAX + 4);
    struct buf good = BUF_INIT(3 * (WORK_MAX + 4));

    (void)buf_add(&joined, buf_text(&o->broken), o->broken.len);
    buf_clear(&o->broken);
    (void)buf_add(&joined, buf_text(masked), masked->len);
    repair(o, buf_text(&joined), joined.len, &good);
    store(o, buf_text(&good), good.len);
    buf_done(&joined);
    buf_done(&good);
}

void output_add(struct output *output, const char *data, size_t len)
{
    struct buf masked = BUF_INIT(WORK_MAX);

    assert(len <= OUTPUT_PIECE_MAX && !output->ended);
    mask_piece(output->mask, &output->held, data, len, &masked);
    store_repaired(output, &masked);
    buf_done(&masked);
}

void output_say(struct output *output, const char *text)
{
    output_add(output, text, strlen(text));
}

void output_end(struct output *output)
{
    struct buf masked = BUF_INIT(WORK_MAX);

    if (output->ended)
        return;
    output->ended = true;
    mask_end(output->mask, &output->held, &masked);
    store_repaired(output, &masked);
    buf_done(&masked);
}

void output_note(struct output *output, const struct mask *mask, const char *text)
{
    bool had_ended = output->ended;

    output->ended = false;
    output->mask = mask; /* one that was taken up had none */
    output_say(output, text);
    if (had_ended)
        output_end(output);
}

/* --- sending ------------------------------------------------------------------------- */

static bool has_gap(const struct output *o)
{
    return o->size > o->head_max + o->tail_max;
}

static bool gap_is_next(const struct output *o)
{
    return o->stage == OUTPUT_HEAD && has_gap(o) && o->sent >= o->head_max;
}

/* Where the file would be read next. */
static uint64_t from_offset(const struct output *o)
{
    uint64_t tail = o->size > o->tail_max ? o->size - o->tail_max : 0;

    return o->stage == OUTPUT_TAIL && o->sent < tail ? tail : o->sent;
}

/* Up to where the file may be sent now. */
static uint64_t end_offset(const struct output *o)
{
    if (o->stage == OUTPUT_TAIL)
        return o->ended ? o->size : from_offset(o);
    if (o->ended && !has_gap(o))
        return o->size;
    return o->size < o->head_max ? o->size : o->head_max;
}

static uint64_t file_left(const struct output *o)
{
    return from_offset(o) < end_offset(o) ? end_offset(o) - from_offset(o) : 0;
}

size_t output_pending(const struct output *output)
{
    uint64_t left = file_left(output);

    if (gap_is_next(output))
        return sizeof(gap_note) - 1;
    if (left == 0 && output->sent < output->size)
        return 0; /* more will be sent at the end */
    left += output->spare.len;
    return left > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)left;
}

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Reads want bytes, and up to three more so that no character is cut. */
static int offer_file(struct output *o, size_t want, struct buf *ret_text, struct err *err)
{
    uint64_t from = from_offset(o);
    char *room = buf_reserve(ret_text, want + 3);
    ssize_t n = room ? pread(o->fd, room, want + 3, (off_t)from) : -1;
    size_t len;
    size_t skip = 0;

    if (n <= 0)
        return err_set_errno(err, n < 0 ? errno : EIO, "could not read a log back");
    for (len = (size_t)n < want ? (size_t)n : want; len < (size_t)n; len++)
        if (!is_inside_character(room[len]))
            break;
    while (from > o->sent && skip < len && is_inside_character(room[skip]))
        skip++; /* the tail begins wherever it falls */
    memmove(room, room + skip, len - skip);
    o->offer = OUTPUT_OFFER_FILE;
    o->offer_end = from + len;
    ret_text->len += len - skip;
    buf_sane(ret_text);
    return 0;
}

static int offer_spare(struct output *o, size_t max, struct buf *ret_text)
{
    size_t len = o->spare.len < max ? o->spare.len : max;

    while (len < o->spare.len && is_inside_character(o->spare.data[len]))
        len++;
    o->offer = OUTPUT_OFFER_SPARE;
    o->offer_end = len;
    return buf_add(ret_text, o->spare.data, len);
}

int output_next(struct output *output, size_t max, struct buf *ret_text, struct err *err)
{
    uint64_t left = file_left(output);

    /* one that was not taken may have arrived: the server knows it again only as it was */
    if (output->offer == OUTPUT_OFFER_FILE)
        output->cut = output->offer_end;
    output->offer = OUTPUT_OFFER_NONE;
    if (gap_is_next(output)) {
        output->offer = OUTPUT_OFFER_GAP;
        return buf_adds(ret_text, gap_note);
    }
    if (left > 0 && output->cut > from_offset(output) && output->cut - from_offset(output) < left)
        left = output->cut - from_offset(output);
    if (left > 0)
        return offer_file(output, left < max ? (size_t)left : max, ret_text, err);
    if (output->sent >= output->size && output->spare.len > 0)
        return offer_spare(output, max, ret_text);
    return 0;
}

void output_taken(struct output *output)
{
    switch (output->offer) {
    case OUTPUT_OFFER_NONE:
        break;
    case OUTPUT_OFFER_FILE:
        output->sent = output->offer_end;
        break;
    case OUTPUT_OFFER_GAP:
        output->stage = OUTPUT_TAIL;
        break;
    case OUTPUT_OFFER_SPARE:
        output->spare_sent += output->offer_end;
        buf_drop(&output->spare, (size_t)output->offer_end);
        break;
    }
    output->offer = OUTPUT_OFFER_NONE;
}
