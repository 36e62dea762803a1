/* SPDX-License-Identifier: GPL-3.0-or-later
 * GET /v1/job/{id}/timeline: the story of a job, in pages. */
#include "server/store/timeline.h"

#include "common/cleanup.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/page.h"
#include "server/handlers/timeline.h"

#include <string.h>

/* "1.0.1 {…}\n2.0.1 {…}" -> [{…},{…}] */
static int write_list(const char *lines, struct buf *body)
{
    const char *comma = "";

    (void)buf_addc(body, '[');
    while (*lines) {
        size_t id_len = strcspn(lines, " ") + 1;
        size_t len = strcspn(lines + id_len, "\n");

        (void)buf_adds(body, comma);
        (void)buf_add(body, lines + id_len, len);
        lines += id_len + len;
        lines += *lines == '\n';
        comma = ",";
    }
    return buf_addc(body, ']');
}

static int take_query(const struct request *req, struct page *ret_page, struct response *res,
                      struct err *err)
{
    AUTO(buf) struct buf faults = BUF_INIT(QUERY_FAULTS_MAX);

    page_take(req, ret_page, &faults);
    if (query_judge(&faults, res, err) < 0)
        return -1;
    if (ret_page->has_at && !timeline_id_valid(ret_page->at))
        return err_set(err, ERR_INVALID, "the cursor is that of another list");
    if (!ret_page->limit)
        ret_page->limit = PAGE_LIMIT_MAX;
    return 0;
}

/* GET /v1/job/{id}/timeline */
int job_timeline(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    struct timeline_query query;
    struct timeline_row row;
    struct page page;
    char id[UUID_TEXT_SIZE];
    int rc;

    if (request_uuid(req, "id", id, err) < 0 || take_query(req, &page, res, err) < 0)
        return -1;
    if (timeline_wants_events(req))
        return timeline_watch(app, req, id, res, err);
    query = (struct timeline_query){
        .job = id, .after = page.has_at ? page.at : NULL, .limit = page.limit};
    if (timeline_store_read(app->db, &query, &row, err) < 0)
        return -1;
    if (!row.found) {
        rc = response_none(res);
    } else {
        res->content_type = "application/json";
        rc = write_list(row.lines, &res->body) < 0
                 ? err_set(err, ERR_INTERNAL, "the story of a job is too large")
                 : page_link(req, &page, row.more ? row.last_id : "", res, err);
    }
    timeline_row_done(&row);
    return rc;
}
