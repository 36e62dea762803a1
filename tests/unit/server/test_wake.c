/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define LISTS 512

static uint64_t queue_share(const char *kind, int number)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "%s-%d", kind, number);
    return wake_share(WAKE_QUEUE, name);
}

/* As a lab names its queues: each agent serves its own, those of its kind and place, and one more.
 */
static void test_sums_tell_lists_of_queues_apart(void **state)
{
    uint64_t sums[LISTS];

    (void)state;
    for (int i = 0; i < LISTS; i++) {
        sums[i] = queue_share("lab", i) + queue_share("kind", i % 8) + queue_share("site", i % 3) +
                  wake_share(WAKE_QUEUE, "any");
        for (int other = 0; other < i; other++)
            assert_true((sums[i] | 1) != (sums[other] | 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_tell_lists_of_queues_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
