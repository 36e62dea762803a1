/* SPDX-License-Identifier: GPL-3.0-or-later
 * limit, cursor and the link to the next page. */
#include "server/handlers/page.h"

#include "server/http/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A request for a path with these parameters. */
static struct request request_for(const char *path, const struct pair *query, size_t count)
{
    return (struct request){.path = path, .query = query, .query_count = count};
}

static struct response *answer_new(void)
{
    struct response *res = calloc(1, sizeof(*res));

    assert_non_null(res);
    response_init(res);
    return res;
}

static void answer_free(struct response *res)
{
    response_done(res);
    free(res);
}

static void assert_taken(const char *limit, const char *cursor, int64_t want_limit,
                         const char *want_at)
{
    struct pair query[2];
    size_t count = 0;
    struct request req;
    struct response *res = answer_new();
    struct page page;

    if (limit)
        query[count++] = (struct pair){"limit", limit};
    if (cursor)
        query[count++] = (struct pair){"cursor", cursor};
    req = request_for("/v1/x", query, count);
    assert_int_equal(page_take_names(&req, &page, res, NULL), 0);
    assert_int_equal(page.limit, want_limit);
    assert_int_equal(page.has_at, want_at != NULL);
    if (want_at)
        assert_string_equal(page_of_store(&page).after, want_at);
    else
        assert_null(page_of_store(&page).after);
    answer_free(res);
}

static void test_limit_and_cursor_are_read(void **state)
{
    (void)state;
    assert_taken(NULL, NULL, 0, NULL);
    assert_taken("1", NULL, 1, NULL);
    assert_taken("1000", NULL, 1000, NULL);
    assert_taken(NULL, "61", PAGE_LIMIT_DEFAULT, "a");
    assert_taken("7", "e2988321", 7, "\xE2\x98\x83!");
}

static void assert_refused(const char *limit, const char *cursor, const char *want)
{
    const struct pair query[] = {{"limit", limit}, {"cursor", cursor}};
    const struct request req = request_for("/v1/x", query, COUNT(query));
    struct response *res = answer_new();
    struct err err = ERR_INIT;
    struct page page;

    assert_int_equal(page_take_names(&req, &page, res, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(buf_text(&res->error_detail), want));
    answer_free(res);
}

static void test_what_does_not_fit_is_named(void **state)
{
    static const char *const limits[] = {"0", "-1",  "1001", "",
                                         "x", "1.0", " 5",   "9999999999999999999"};
    static const char *const cursors[] = {"", "6", "zz", "61z", "4A", "00", "6100", "ff", "eda080"};
    char *long_cursor = calloc(1, 2 * NAME_MAX_BYTES + 3);

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++)
        assert_refused(limits[i], "61", "{\"query\":{\"limit\":[\"");
    for (size_t i = 0; i < COUNT(cursors); i++)
        assert_refused("1", cursors[i], "{\"query\":{\"cursor\":[\"");
    assert_refused("0", "x", "\"],\"cursor\":[\"");
    assert_non_null(long_cursor);
    memset(long_cursor, '6', 2 * NAME_MAX_BYTES + 2);
    assert_refused("1", long_cursor, "\"cursor\"");
    free(long_cursor);
}

static void test_the_link_repeats_the_request(void **state)
{
    static const struct pair query[] = {{"tags", "a b&c"},
                                        {"limit", "5"},
                                        {"cursor", "61"},
                                        {"tags", "\xE2\x98\x83"},
                                        {"\"x\"", ""}};
    const struct request req = request_for("/v1/queues/a b>/jobs", query, COUNT(query));
    const struct page page = {.limit = 5};
    struct response *res = answer_new();

    (void)state;
    assert_int_equal(page_link(&req, &page, "", res, NULL), 0);
    assert_int_equal(res->header_count, 0);
    assert_int_equal(page_link(&req, &page, "n\xC3\xA9", res, NULL), 0);
    assert_int_equal(res->header_count, 1);
    assert_string_equal(res->headers[0].name, "Link");
    assert_string_equal(res->headers[0].value,
                        "</v1/queues/a%20b%3E/jobs?limit=5&tags=a%20b%26c&tags=%E2%98%83&%22x%22="
                        "&cursor=6ec3a9>; rel=\"next\"");
    answer_free(res);
}

static void test_a_link_without_room_is_refused(void **state)
{
    struct pair query = {"tags", NULL};
    struct request req = request_for("/v1/x", &query, 1);
    const struct page page = {.limit = 5};
    struct response *res = answer_new();
    char *value = calloc(1, RESPONSE_VALUE_MAX + 1);
    struct err err = ERR_INIT;

    (void)state;
    assert_non_null(value);
    memset(value, 'x', RESPONSE_VALUE_MAX);
    query.value = value;
    assert_int_equal(page_link(&req, &page, "n", res, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(res->header_count, 0);
    free(value);
    answer_free(res);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_and_cursor_are_read),
        cmocka_unit_test(test_what_does_not_fit_is_named),
        cmocka_unit_test(test_the_link_repeats_the_request),
        cmocka_unit_test(test_a_link_without_room_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
