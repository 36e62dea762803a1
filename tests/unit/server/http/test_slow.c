/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/slow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct pair queues[] = {{"queue", "q"}, {"queue", "r"}};

static void test_the_same_agent_asking_the_same(void **state)
{
    struct slow_list list = {.count = 0};
    const struct request req = {.agent_name = "a", .query = queues, .query_count = 2};
    const struct request less = {.agent_name = "a", .query = queues, .query_count = 1};
    const struct request other = {.agent_name = "b", .query = queues, .query_count = 2};
    const struct request nobody = {.query_count = 0};

    (void)state;
    assert_false(slow_list_has(&list, &req));
    slow_list_set(&list, &req, true);
    slow_list_set(&list, &req, true);
    slow_list_set(&list, &nobody, true);
    assert_true(slow_list_has(&list, &req));
    assert_true(slow_list_has(&list, &nobody));
    assert_false(slow_list_has(&list, &less));
    assert_false(slow_list_has(&list, &other));
    slow_list_set(&list, &other, false);
    assert_true(slow_list_has(&list, &req));
    slow_list_set(&list, &req, false);
    slow_list_set(&list, &nobody, false);
    assert_false(slow_list_has(&list, &req));
    assert_int_equal(list.count, 0);
}

static void test_any_number_of_them_is_no_more_than_the_places(void **state)
{
    struct slow_list list = {.count = 0};
    char name[24];
    const struct request req = {.agent_name = name, .query = queues, .query_count = 2};
    size_t known = 0;

    (void)state;
    for (int i = 0; i < 4 * SLOW_PLACES; i++) {
        (void)snprintf(name, sizeof(name), "agent-%d", i);
        slow_list_set(&list, &req, true);
        assert_true(slow_list_has(&list, &req));
    }
    assert_true(list.count <= SLOW_PLACES);
    for (int i = 0; i < 4 * SLOW_PLACES; i++) {
        (void)snprintf(name, sizeof(name), "agent-%d", i);
        known += slow_list_has(&list, &req);
        slow_list_set(&list, &req, false);
    }
    assert_true(known <= SLOW_PLACES && known > SLOW_PLACES / 2);
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_agent_asking_the_same),
        cmocka_unit_test(test_any_number_of_them_is_no_more_than_the_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
