/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID "\"job_id\":\"00000000-0000-4000-8000-000000000001\""

static struct json_object *parse(const char *text)
{
    struct json_object *json = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(definition_parse(text, strlen(text), &json, &err), 0);
    return json;
}

static void test_only_objects_with_an_id_are_definitions(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"job_id\":1}",
                                      "{\"job_id\":\"..\"}",
                                      "{\"job_id\":\"../../../../etc/passwd\"}",
                                      "{" ID};
    struct json_object *json = NULL;
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(definition_parse(bad[i], strlen(bad[i]), &json, &err), -1);
    assert_null(json);
    json_object_put(parse("{" ID "}"));
    json_object_put(parse("{\"job_id\":\"00000000000040008000000000000001\"}"));
}

static void test_phases_are_wanted_if_their_data_says_so(void **state)
{
    static const struct {
        const char *text;
        bool wanted;
    } cases[] = {
        {"{" ID "}", false},
        {"{" ID ",\"test_data\":null}", false},
        {"{" ID ",\"test_data\":{}}", false},
        {"{" ID ",\"test_data\":\"x\"}", false},
        {"{" ID ",\"test_data\":{\"skip\":true}}", false},
        {"{" ID ",\"test_data\":{\"skip\":true,\"test_cmds\":\"x\"}}", false},
        {"{" ID ",\"test_data\":{\"skip\":false}}", true},
        {"{" ID ",\"test_data\":{\"test_cmds\":\"\"}}", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json_object *json = parse(cases[i].text);

        assert_int_equal(definition_wants(json, PHASE_TEST), cases[i].wanted);
        assert_true(definition_wants(json, PHASE_SETUP));
        assert_true(definition_wants(json, PHASE_CLEANUP));
        json_object_put(json);
    }
}

static void test_a_phase_that_held_only_attachments_is_absent_after_unpacking(void **state)
{
    struct json_object *json =
        parse("{" ID ",\"attachments_status\":\"complete\",\"provision_data\":{\"attachments\":[]},"
              "\"test_data\":{\"attachments\":[],\"test_cmds\":\"x\"}}");

    (void)state;
    assert_true(definition_has_attachments(json));
    assert_true(definition_wants(json, PHASE_PROVISION));
    definition_drop_attachments(json);
    assert_false(definition_wants(json, PHASE_PROVISION));
    assert_true(definition_wants(json, PHASE_TEST));
    json_object_put(json);
    json = parse("{" ID ",\"attachments_status\":\"waiting\"}");
    assert_false(definition_has_attachments(json));
    json_object_put(json);
}

static void test_secrets_are_those_of_the_phase(void **state)
{
    struct json_object *json = parse("{" ID ",\"test_data\":{\"secrets\":{\"A\":\"1\"}}}");

    (void)state;
    assert_non_null(definition_secrets(json, PHASE_TEST));
    assert_null(definition_secrets(json, PHASE_SETUP));
    json_object_put(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_objects_with_an_id_are_definitions),
        cmocka_unit_test(test_phases_are_wanted_if_their_data_says_so),
        cmocka_unit_test(test_a_phase_that_held_only_attachments_is_absent_after_unpacking),
        cmocka_unit_test(test_secrets_are_those_of_the_phase),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
