/* SPDX-License-Identifier: GPL-3.0-or-later
 * Log fragments read back joined, from a fragment or a time on. */
#include "server/store/log.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/parse.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/result.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TIME_MIN_US INT64_C(-62135596800000000) /* 0001-01-01T00:00:00Z */
#define TIME_MAX_US INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */

int log_take_type(const struct request *req, const char **ret_type, struct err *err)
{
    *ret_type = log_type(request_param(req, "type"));
    return *ret_type ? 0 : err_set(err, ERR_NOT_FOUND, "no log of that type (output, serial)");
}

int log_take_time(const char *text, char ret_text[static CLOCK_TEXT_SIZE], struct err *err)
{
    int64_t us;

    if (parse_time(text, &us, err) < 0)
        return -1;
    if (us < TIME_MIN_US)
        us = TIME_MIN_US;
    if (us > TIME_MAX_US)
        us = TIME_MAX_US;
    clock_format_us(us, ret_text);
    return 0;
}

static int begin_phase(struct buf *piece, const char *type, const char *phase, bool first)
{
    (void)type; /* it stands in the head */
    return buf_addf(piece, "%s\"%s\":{\"log_data\":\"", first ? "" : ",", phase);
}

static int end_phase(struct buf *piece, int64_t last_number)
{
    return buf_addf(piece, "\",\"last_fragment_number\":%lld}", (long long)last_number);
}

static const struct log_stream_form phases_form = {"}}", begin_phase, end_phase};

struct log_query {
    int phase; /* -1: all */
    int64_t from_number;
    char from_time[CLOCK_TEXT_SIZE];
    int64_t attempt;
};

/* Blanks around a number are fine, as today's clients know it. */
static int take_number(const char *text, int64_t *ret_number, struct err *err)
{
    char copy[32];
    size_t len;

    while (isspace((unsigned char)*text))
        text++;
    len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (len >= sizeof(copy))
        return err_set(err, ERR_BAD_REQUEST, "start_fragment is not a number");
    (void)snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
    if (parse_int64(copy, 0, INT64_MAX, ret_number, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST, "start_fragment is not a number of 0 or more");
    return 0;
}

static int check_parameters(const struct request *req, struct err *err)
{
    static const char *const known[] = {"attempt", "phase", "start_fragment", "start_timestamp"};

    for (size_t i = 0; i < req->query_count; i++) {
        bool found = false;

        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]) && !found; k++)
            found = strcmp(req->query[i].name, known[k]) == 0;
        if (!found)
            return err_set(err, ERR_BAD_REQUEST, "unknown parameter \"%.100s\"",
                           req->query[i].name);
    }
    return 0;
}

static int take_query(const struct request *req, struct log_query *ret_query, struct err *err)
{
    const char *phase = request_query(req, "phase");
    const char *number = request_query(req, "start_fragment");
    const char *time = request_query(req, "start_timestamp");
    struct log_query query = {.phase = phase ? phase_from_name(phase) : -1};

    if (check_parameters(req, err) < 0)
        return -1;
    if (phase && query.phase < 0)
        return err_set(err, ERR_BAD_REQUEST, "no phase of that name");
    if (handler_attempt(req, &query.attempt, err) < 0)
        return -1;
    if (number && take_number(number, &query.from_number, err) < 0)
        return -1;
    if (time && log_take_time(time, query.from_time, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST, "start_timestamp is not a date and time of RFC 3339");
    *ret_query = query;
    return 0;
}

static struct log_stream *stream_of(const char *id, const char *type, const struct log_query *query,
                                    const struct log_phases *phases)
{
    struct log_stream *s = log_stream_new(&phases_form, id);

    if (!s)
        return NULL;
    s->from_number = query->from_number;
    s->attempt = phases->attempt;
    memcpy(s->from_time, query->from_time, sizeof(s->from_time));
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        if (query->phase < 0 || query->phase == phase)
            log_stream_add(s, type, phase_name((enum phase)phase),
                           phases->last[phase] < query->from_number);
    if (buf_addf(&s->head, "{\"%s\":{", type) == 0)
        return s;
    log_stream_free(s);
    return NULL;
}

/* GET /v1/result/{id}/log/{type} */
int result_log_show(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    struct log_query query;
    struct log_phases phases;
    struct log_stream *s;
    const char *type;
    char id[UUID_TEXT_SIZE];

    if (request_uuid(req, "id", id, err) < 0 || log_take_type(req, &type, err) < 0 ||
        take_query(req, &query, err) < 0)
        return -1;
    phases.attempt = query.attempt;
    if (log_store_phases(app->db, id, type, &phases, err) < 0)
        return -1;
    s = stream_of(id, type, &query, &phases);
    if (!s)
        return err_set(err, ERR_INTERNAL, "out of memory");
    log_stream_answer(s, res);
    return 0;
}
