/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the handlers only: parameters of the query, what is wrong with them, and lists in pages.
 *
 * A list takes ?limit=N and answers with `Link: <…&cursor=…>; rel="next"` while there is more. What
 * a cursor says is the list's own affair; clients see it in hexadecimal. */
#ifndef SERVER_HANDLERS_PAGE_H
#define SERVER_HANDLERS_PAGE_H

#include "common/buf.h"
#include "common/err.h"
#include "server/http/request.h"
#include "server/http/response.h"
#include "server/store/page.h"

#include <stdbool.h>
#include <stdint.h>

struct app;
struct db;

#define PAGE_LIMIT_MAX     1000
#define PAGE_LIMIT_DEFAULT 100 /* a cursor without a limit */
#define QUERY_FAULTS_MAX   ((size_t)64 << 10)

struct page {
    int64_t limit; /* 0: everything */
    bool has_at;
    char at[NAME_MAX_BYTES + 1];
};

/* Adds what is wrong with a parameter: `"name": reason`, reason as JSON (`["…"]` or nested). */
void query_complain(struct buf *faults, const char *name, const char *reason);
/* 0 if nothing was wrong, else ERR_INVALID with the complaints as detail. */
int query_judge(const struct buf *faults, struct response *res, struct err *err);

/* limit and cursor, if they were given. */
void page_take(const struct request *req, struct page *ret_page, struct buf *faults);
/* For lists by name: the same, and refuses what is wrong. */
int page_take_names(const struct request *req, struct page *ret_page, struct response *res,
                    struct err *err);

/* How the store wants to be told. */
struct store_page page_of_store(const struct page *page);

/* A store function that adds a list by name, from *at on, and what the next page begins behind. */
typedef int (*page_list_fn)(struct db *db, const struct store_page *at, struct buf *body,
                            struct buf *next, struct err *err);
/* The whole answer of a list by name. */
int page_answer_names(struct app *app, const struct request *req, page_list_fn list,
                      struct response *res, struct err *err);

/* Tells the client where the next page is; next "": there is none. */
int page_link(const struct request *req, const struct page *page, const char *next,
              struct response *res, struct err *err);

#endif
