/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests with names in them: cut into pieces once, written many times. */
#include "tests/bench/load/plan.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *name;
    enum piece_kind kind;
} names[] = {
    {"client", PIECE_CLIENT}, {"round", PIECE_ROUND}, {"new", PIECE_NEW},
    {"job", PIECE_JOB},       {"next", PIECE_NEXT},
};

static bool is_named(const char *name, const char *start, size_t len)
{
    return strlen(name) == len && memcmp(name, start, len) == 0;
}

/* Fills kind and list of a piece from its name. */
static int look_up(const struct plan *plan, struct piece *piece, struct err *err)
{
    bool varies = piece->len > 0 && piece->start[piece->len - 1] == '+';
    size_t len = piece->len - varies; /* of the list's name */

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_named(names[i].name, piece->start, piece->len)) {
            piece->kind = names[i].kind;
            return 0;
        }
    for (size_t i = 0; i < plan->list_count; i++)
        if (is_named(plan->lists[i].name, piece->start, len)) {
            piece->kind = len < piece->len ? PIECE_LIST_ROUND : PIECE_LIST;
            piece->list = &plan->lists[i];
            return 0;
        }
    return err_set(err, ERR_INVALID, "\"%.*s\" is no list", (int)piece->len, piece->start);
}

/* How far the piece at start goes. */
static int cut_piece(const struct plan *plan, const char *start, const char *end,
                     struct piece *piece, struct err *err)
{
    const char *stop;

    *piece = (struct piece){.kind = PIECE_TEXT, .start = start};
    if (*start == '\n') {
        piece->kind = PIECE_EOL;
        piece->len = 1;
        return 0;
    }
    if (*start == '@') {
        stop = memchr(start + 1, '@', (size_t)(end - start - 1));
        if (!stop)
            return err_set(err, ERR_INVALID, "a name in a request has no end");
        piece->start = start + 1;
        piece->len = (size_t)(stop - start - 1);
        return look_up(plan, piece, err);
    }
    for (stop = start; stop < end && *stop != '@' && *stop != '\n'; stop++)
        continue;
    piece->len = (size_t)(stop - start);
    return 0;
}

int text_parse(const struct plan *plan, const char *text, size_t len, struct text *ret_text,
               struct err *err)
{
    const char *end = text + len;

    ret_text->count = 0;
    while (text < end) {
        struct piece *piece = &ret_text->pieces[ret_text->count];

        if (ret_text->count == PLAN_PIECES)
            return err_set(err, ERR_INVALID, "a request has more than %d pieces", PLAN_PIECES);
        if (cut_piece(plan, text, end, piece, err) < 0)
            return -1;
        text = piece->start + piece->len + (*text == '@');
        ret_text->count++;
    }
    return 0;
}

static void write_piece(const struct piece *piece, const struct values *values, struct buf *b)
{
    switch (piece->kind) {
    case PIECE_TEXT:
        (void)buf_add(b, piece->start, piece->len);
        break;
    case PIECE_EOL:
        (void)buf_adds(b, "\r\n");
        break;
    case PIECE_LIST:
        (void)buf_adds(b, piece->list->items[values->client % piece->list->count]);
        break;
    case PIECE_LIST_ROUND:
        (void)buf_adds(b,
                       piece->list->items[(values->client + values->round) % piece->list->count]);
        break;
    case PIECE_CLIENT:
        (void)buf_addf(b, "%zu", values->client);
        break;
    case PIECE_ROUND:
        (void)buf_addf(b, "%" PRIu64, values->round);
        break;
    case PIECE_NEW:
        (void)buf_adds(b, values->new_id);
        break;
    case PIECE_JOB:
        (void)buf_adds(b, values->job);
        break;
    case PIECE_NEXT:
        (void)buf_addf(b, "%" PRId64, values->next);
        break;
    }
}

void text_write(const struct text *text, const struct values *values, struct buf *b)
{
    for (size_t i = 0; i < text->count; i++)
        write_piece(&text->pieces[i], values, b);
}
