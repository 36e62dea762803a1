/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pages of lists: limit, cursor, and the link to the next page. */
#include "server/handlers/page.h"

#include "common/cleanup.h"
#include "common/parse.h"
#include "server/app.h"

#include <stdio.h>
#include <string.h>

void query_complain(struct buf *faults, const char *name, const char *reason)
{
    (void)buf_addf(faults, "%s\"%s\":%s", faults->len ? "," : "", name, reason);
}

int query_judge(const struct buf *faults, struct response *res, struct err *err)
{
    if (faults->len == 0)
        return 0;
    (void)buf_addf(&res->error_detail, "{\"query\":{%s}}", buf_text(faults));
    return err_set(err, ERR_INVALID, "Validation error");
}

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Names are text: no cursor of ours holds a zero byte or something else than UTF-8. */
static int read_cursor(const char *text, char ret_at[static NAME_MAX_BYTES + 1])
{
    size_t len = strlen(text);
    char at[NAME_MAX_BYTES + 1];

    if (len == 0 || len % 2 != 0 || len / 2 > NAME_MAX_BYTES)
        return -1;
    for (size_t i = 0; i < len / 2; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return -1;
        at[i] = (char)(high << 4 | low);
    }
    at[len / 2] = '\0';
    if (!parse_utf8_valid(at, len / 2))
        return -1;
    memcpy(ret_at, at, len / 2 + 1);
    return 0;
}

void page_take(const struct request *req, struct page *ret_page, struct buf *faults)
{
    const char *limit = request_query(req, "limit");
    const char *cursor = request_query(req, "cursor");
    struct page page = {.has_at = cursor, .limit = cursor ? PAGE_LIMIT_DEFAULT : 0};
    char reason[64];

    if (limit && parse_int64(limit, 1, PAGE_LIMIT_MAX, &page.limit, NULL) < 0) {
        (void)snprintf(reason, sizeof(reason), "[\"not a number from 1 to %d\"]", PAGE_LIMIT_MAX);
        query_complain(faults, "limit", reason);
    }
    if (cursor && read_cursor(cursor, page.at) < 0)
        query_complain(faults, "cursor", "[\"not the cursor of a page\"]");
    *ret_page = page;
}

int page_take_names(const struct request *req, struct page *ret_page, struct response *res,
                    struct err *err)
{
    AUTO(buf) struct buf faults = BUF_INIT(QUERY_FAULTS_MAX);

    page_take(req, ret_page, &faults);
    return query_judge(&faults, res, err);
}

struct store_page page_of_store(const struct page *page)
{
    return (struct store_page){.limit = page->limit, .after = page->has_at ? page->at : NULL};
}

/* All but RFC 3986's unreserved characters and, in a path, slashes. */
static void add_encoded(struct buf *b, const char *text, const char *kept)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++) {
        if (strchr(unreserved, *text) || strchr(kept, *text))
            (void)buf_addc(b, *text);
        else
            (void)buf_addf(b, "%%%02X", (unsigned char)*text);
    }
}

int page_link(const struct request *req, const struct page *page, const char *next,
              struct response *res, struct err *err)
{
    AUTO(buf) struct buf link = BUF_INIT(RESPONSE_VALUE_MAX - 1);

    if (!*next)
        return 0;
    (void)buf_addc(&link, '<');
    add_encoded(&link, req->path, "/");
    (void)buf_addf(&link, "?limit=%lld", (long long)page->limit);
    for (size_t i = 0; i < req->query_count; i++) {
        const struct pair *one = &req->query[i];

        if (strcmp(one->name, "limit") == 0 || strcmp(one->name, "cursor") == 0)
            continue;
        (void)buf_addc(&link, '&');
        add_encoded(&link, one->name, "");
        (void)buf_addc(&link, '=');
        add_encoded(&link, one->value, "");
    }
    (void)buf_adds(&link, "&cursor=");
    for (const unsigned char *p = (const unsigned char *)next; *p; p++)
        (void)buf_addf(&link, "%02x", *p);
    if (buf_adds(&link, ">; rel=\"next\"") < 0 || buf_failed(&link))
        return err_set(err, ERR_INVALID, "the parameters are too long for a list in pages");
    return response_header(res, "Link", buf_text(&link), err);
}

int page_answer_names(struct app *app, const struct request *req, page_list_fn list,
                      struct response *res, struct err *err)
{
    AUTO(buf) struct buf next = BUF_INIT(NAME_MAX_BYTES);
    struct store_page at;
    struct page page;

    if (page_take_names(req, &page, res, err) < 0)
        return -1;
    at = page_of_store(&page);
    res->content_type = "application/json";
    if (list(app->db, &at, &res->body, &next, err) < 0)
        return -1;
    return page_link(req, &page, buf_text(&next), res, err);
}
