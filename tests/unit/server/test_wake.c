/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define LISTS 512

static uint64_t queue_key(const char *kind, int number)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "%s-%d", kind, number);
    return wake_key(WAKE_QUEUE, name);
}

/* As a lab names its queues: each agent serves its own, those of its kind and place, and one more.
 */
static void test_sums_of_keys_tell_lists_of_queues_apart(void **state)
{
    uint64_t sums[LISTS];

    (void)state;
    for (int i = 0; i < LISTS; i++) {
        sums[i] = queue_key("lab", i) + queue_key("kind", i % 8) + queue_key("site", i % 3) +
                  wake_key(WAKE_QUEUE, "any");
        for (int other = 0; other < i; other++)
            assert_true((sums[i] | 1) != (sums[other] | 1));
    }
}

static void test_the_kind_is_part_of_the_key(void **state)
{
    (void)state;
    assert_true(wake_key(WAKE_QUEUE, "a") != wake_key(WAKE_AGENT, "a"));
    assert_true(wake_key(WAKE_JOB, "") != wake_key(WAKE_QUEUE, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_of_keys_tell_lists_of_queues_apart),
        cmocka_unit_test(test_the_kind_is_part_of_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
