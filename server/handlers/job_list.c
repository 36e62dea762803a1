/* SPDX-License-Identifier: GPL-3.0-or-later
 * Lists of jobs, and the search that is one. */
#include "server/handlers/job_list.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "server/app.h"
#include "server/config.h"
#include "server/handlers/handlers.h"
#include "server/store/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job_list {
    struct buf query;
    struct job_list_place place;
    struct buf page; /* read and not sent yet */
    bool begun;      /* the opening bracket has been sent */
    bool any;        /* and a job */
};

void job_list_free(void *list)
{
    struct job_list *l = list;

    if (!l)
        return;
    buf_done(&l->query);
    buf_done(&l->page);
    free(l);
}

/* The place a cursor stands for: the number of a job. */
static int take_place(const struct page *page, struct job_list_place *ret_place, struct err *err)
{
    *ret_place = (struct job_list_place){-1, -1};
    if (page->has_at && parse_int64(page->at, 1, INT64_MAX, &ret_place->at, NULL) < 0)
        return err_set(err, ERR_INVALID, "the cursor is that of another list");
    return 0;
}

struct job_list *job_list_open(struct app *app, const struct page *page, struct buf *query,
                               struct err *err)
{
    struct job_list *l = calloc(1, sizeof(*l));

    if (!l) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    buf_init(&l->query, JOB_QUERY_MAX);
    buf_init(&l->page, RESPONSE_BODY_MAX);
    if (page->limit)
        (void)buf_addf(&l->query, "{%s\"limit\":%" PRId64 "}", buf_text(query), page->limit);
    else
        (void)buf_addf(&l->query, "{%s\"days\":%" PRId64 "}", buf_text(query),
                       app->config->list_days);
    if (buf_failed(query) || buf_failed(&l->query)) {
        (void)err_set(err, ERR_INVALID, "too many parameters");
    } else if (take_place(page, &l->place, err) == 0 &&
               job_store_list(app->db, buf_text(&l->query), &l->place, &l->page, err) == 0) {
        return l;
    }
    job_list_free(l);
    return NULL;
}

bool job_list_any(const struct job_list *list)
{
    return list->page.len > 0 || list->place.at >= 0;
}

/* Moves the page in hand to the answer. */
static int send_page(struct job_list *l, struct buf *piece)
{
    if (!l->begun)
        (void)buf_addc(piece, '[');
    l->begun = true;
    if (l->page.len) {
        if (l->any)
            (void)buf_addc(piece, ',');
        l->any = true;
        (void)buf_add(piece, buf_text(&l->page), l->page.len);
        buf_clear(&l->page);
    }
    return buf_failed(piece) ? -1 : 0;
}

static int next_piece(struct app *app, void *state, struct buf *piece, struct err *err)
{
    struct job_list *l = state;

    if (l->begun && job_store_list(app->db, buf_text(&l->query), &l->place, &l->page, err) < 0)
        return -1;
    if (send_page(l, piece) < 0)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (l->place.at >= 0)
        return 1;
    return buf_addc(piece, ']') < 0 ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

int job_list_answer(struct job_list *list, const struct request *req, const struct page *page,
                    struct response *res, struct err *err)
{
    char next[24] = "";
    int rc;

    res->content_type = "application/json";
    if (!page->limit) {
        res->stream = (struct stream){
            .next = next_piece, .free = job_list_free, .state = list, .size_bytes = -1};
        return 0;
    }
    if (list->place.at >= 0)
        (void)snprintf(next, sizeof(next), "%" PRId64, list->place.at);
    rc = send_page(list, &res->body) < 0 || buf_addc(&res->body, ']') < 0
             ? err_set(err, ERR_INTERNAL, "out of memory")
             : page_link(req, page, next, res, err);
    job_list_free(list);
    return rc;
}
