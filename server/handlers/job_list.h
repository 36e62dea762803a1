/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the handlers only: an answer that lists jobs.  With a limit it is one page; without, all
 * of them go out as a stream that reads page by page, in constant memory. */
#ifndef SERVER_HANDLERS_JOB_LIST_H
#define SERVER_HANDLERS_JOB_LIST_H

#include "common/buf.h"
#include "common/err.h"
#include "server/handlers/page.h"

#include <stdbool.h>

struct app;
struct job_list;

#define JOB_QUERY_MAX ((size_t)4 << 20)

/* query: what to list, members of the object that api.list_jobs takes, each with a comma behind it;
 * taken over.  Reads the first page.  NULL: *err is set. */
struct job_list *job_list_open(struct app *app, const struct page *page, struct buf *query,
                               struct err *err);
/* Whether there is anything on the list. */
bool job_list_any(const struct job_list *list);
/* Fills the response; the list belongs to it then, also if this fails. */
int job_list_answer(struct job_list *list, const struct request *req, const struct page *page,
                    struct response *res, struct err *err);
void job_list_free(void *list);

#endif
