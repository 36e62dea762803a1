/* SPDX-License-Identifier: GPL-3.0-or-later
 * Results of a job, read as one flat object with the logs in it. */
#include "server/store/result.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/result.h"
#include "server/wake.h"

#include <string.h>

static int begin_log(struct buf *piece, const char *type, const char *phase, bool first)
{
    (void)first; /* job_state stands before */
    return buf_addf(piece, ",\"%s_%s\":\"", phase, type);
}

static int end_log(struct buf *piece, int64_t last_number)
{
    (void)last_number;
    return buf_addc(piece, '"');
}

static const struct log_stream_form result_form = {"}", begin_log, end_log};

/* {"test": 0} -> ,"test_status":0 */
static int add_codes(struct buf *b, const char *text, struct err *err)
{
    struct json_object *codes;

    if (jsn_parse(text, strlen(text), &codes, err) < 0)
        return err_prefix(err, "stored status cannot be read");
    json_object_object_foreach(codes, phase, code)
    {
        (void)buf_addf(b, ",\"%s_status\":%lld", phase, (long long)json_object_get_int64(code));
    }
    json_object_put(codes);
    return 0;
}

/* [["output","setup",12]] -> the sections to stream */
static int add_sections(struct log_stream *s, const char *text, struct err *err)
{
    struct json_object *logs;

    if (jsn_parse(text, strlen(text), &logs, err) < 0)
        return err_prefix(err, "list of logs cannot be read");
    for (size_t i = 0; i < json_object_array_length(logs) && i < LOG_SECTIONS_MAX; i++) {
        struct json_object *log = json_object_array_get_idx(logs, i);
        const char *type = log_type(json_object_get_string(json_object_array_get_idx(log, 0)));
        int phase = phase_from_name(json_object_get_string(json_object_array_get_idx(log, 1)));

        if (type && phase >= 0)
            log_stream_add(s, type, phase_name((enum phase)phase), false);
    }
    json_object_put(logs);
    return 0;
}

static int write_result(struct log_stream *s, const struct result_row *row, struct err *err)
{
    struct buf *head = &s->head;

    (void)buf_adds(head, "{\"job_state\":");
    (void)jsn_add_string(head, row->job_state, strlen(row->job_state));
    if (row->device_info) {
        (void)buf_adds(head, ",\"device_info\":");
        (void)buf_adds(head, row->device_info);
    }
    if (row->status && add_codes(head, row->status, err) < 0)
        return -1;
    if (row->logs && add_sections(s, row->logs, err) < 0)
        return -1;
    return buf_failed(head) ? err_set(err, ERR_INTERNAL, "result is too large") : 0;
}

static int answer_result(const struct result_row *row, const char *id, struct response *res,
                         struct err *err)
{
    struct log_stream *s = log_stream_new(&result_form, id);

    if (!s)
        return err_set(err, ERR_INTERNAL, "out of memory");
    s->attempt = row->attempt;
    if (write_result(s, row, err) < 0) {
        log_stream_free(s);
        return -1;
    }
    log_stream_answer(s, res);
    return 0;
}

/* GET /v1/result/{id}.  The tag is weak: what a log gained while the answer was on its way is in it
 * already. */
int result_show(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    const char *seen = request_header(req, "if-none-match");
    struct result_query query = {.seen = seen};
    struct result_row row;
    char id[UUID_TEXT_SIZE];
    int rc;

    if (seen && !parse_utf8_valid(seen, strlen(seen))) /* none of ours, and SQL takes text only */
        query.seen = NULL;
    query.id = id;
    if (request_uuid(req, "id", id, err) < 0 || handler_attempt(req, &query.attempt, err) < 0 ||
        handler_reader(req, &query.by, err) < 0 ||
        result_store_read(app->db, &query, &row, err) < 0)
        return -1;
    if (!row.found)
        rc = response_none(res);
    else if (response_etag(res, ETAG_WEAK, row.version, err) < 0)
        rc = -1;
    else if (!row.job_state)
        rc = response_unchanged(res);
    else
        rc = answer_result(&row, id, res, err);
    result_row_done(&row);
    return rc;
}
