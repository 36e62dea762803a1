/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/submission.h"

#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool has_attachments(const char *text)
{
    struct json_object *job = NULL;
    bool has;

    assert_int_equal(jsn_parse(text, strlen(text), &job, NULL), 0);
    has = submission_has_attachments(job);
    (void)json_object_put(job);
    return has;
}

static void test_a_section_with_the_key_brings_files(void **state)
{
    (void)state;
    assert_true(has_attachments("{\"job_queue\": \"q\", \"test_data\": {\"attachments\": [{}]}}"));
    assert_true(has_attachments("{\"provision_data\": {\"attachments\": []}}"));
    assert_true(has_attachments("{\"firmware_update_data\": {\"attachments\": null}}"));
}

static void test_the_key_elsewhere_brings_none(void **state)
{
    (void)state;
    assert_false(has_attachments("{}"));
    assert_false(has_attachments("{\"test_data\": {\"test_cmds\": \"x\"}, \"attachments\": []}"));
    assert_false(has_attachments("{\"test\": {\"attachments\": []}, \"test_data\": null}"));
    assert_false(has_attachments("{\"test_data\": {\"deeper\": {\"attachments\": []}}}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_section_with_the_key_brings_files),
        cmocka_unit_test(test_the_key_elsewhere_brings_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
