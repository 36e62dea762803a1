/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connector/environment.h"

#include "common/json.h"
#include "connector/job_environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *value_of(const struct environment *environment, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->items[i], name, len) == 0 && environment->items[i][len] == '=')
            return environment->items[i] + len + 1;
    return NULL;
}

static void test_a_variable_is_set_once(void **state)
{
    struct environment environment = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(environment_set(&environment, "A", "1", &err), 0);
    assert_int_equal(environment_set(&environment, "AB", "2", &err), 0);
    assert_int_equal(environment_set(&environment, "A", "3=3", &err), 0);
    assert_int_equal(environment.count, 2);
    assert_string_equal(value_of(&environment, "A"), "3=3");
    assert_string_equal(value_of(&environment, "AB"), "2");
    assert_null(environment.items[2]);
    assert_true(environment_has(&environment, "AB"));
    assert_false(environment_has(&environment, "B"));
    environment_done(&environment);
    assert_null(environment.items);
}

static void test_what_is_no_variable_is_refused(void **state)
{
    struct environment environment = {0};
    char *big = malloc(200001);
    struct err err = ERR_INIT;

    (void)state;
    assert_non_null(big);
    memset(big, 'x', 200000);
    big[200000] = '\0';
    assert_int_equal(environment_set(&environment, "", "1", &err), -1);
    assert_int_equal(environment_set(&environment, "A=B", "1", &err), -1);
    assert_int_equal(environment_set(&environment, "A", big, &err), -1);
    assert_int_equal(environment.count, 0);
    environment_done(&environment);
    free(big);
}

static void test_ours_is_copied(void **state)
{
    struct environment environment = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(setenv("OF_THE_TEST", "here", 1), 0);
    assert_int_equal(environment_copy(&environment, &err), 0);
    assert_string_equal(value_of(&environment, "OF_THE_TEST"), "here");
    environment_done(&environment);
}

static void test_names_lead_to_the_values_of_a_job(void **state)
{
    static const char text[] =
        "{\"job_id\":\"x\",\"_data\":1,\"provision_data\":{\"a\":[[1,2.50],{\"b\":true}],\"n\":"
        "null,"
        "\"secrets\":{\"A\":\"b\"},\"big\":123456789012345678},\"data\":\"d\"}";
    struct environment environment = {0};
    struct json_object *job = NULL;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(jsn_parse(text, sizeof(text) - 1, &job, &err), 0);
    assert_int_equal(environment_set(&environment, "TESTFLINGER_DATA", "before", &err), 0);
    assert_int_equal(job_environment_add(&environment, job, &err), 0);
    assert_string_equal(value_of(&environment, "TESTFLINGER_JOB_ID"), "x");
    assert_string_equal(value_of(&environment, "TESTFLINGER__DATA"), "1");
    assert_string_equal(value_of(&environment, "TESTFLINGER_PROVISION_A_0_0"), "1");
    assert_string_equal(value_of(&environment, "TESTFLINGER_PROVISION_A_0_1"), "2.50");
    assert_string_equal(value_of(&environment, "TESTFLINGER_PROVISION_A_1_B"), "true");
    assert_string_equal(value_of(&environment, "TESTFLINGER_PROVISION_BIG"), "123456789012345678");
    assert_string_equal(value_of(&environment, "TESTFLINGER_DATA"), "before");
    assert_int_equal(environment.count, 7);
    json_object_put(job);
    environment_done(&environment);
}

static void test_below_a_name_that_is_too_long_there_are_none(void **state)
{
    struct environment environment = {0};
    struct json_object *job = NULL;
    struct err err = ERR_INIT;
    char text[400];
    int len;

    (void)state;
    len =
        snprintf(text, sizeof(text), "{\"%0300d\":{\"a\":1,\"b\":{\"c\":2},\"d\":3},\"ok\":4}", 0);
    assert_int_equal(jsn_parse(text, (size_t)len, &job, &err), 0);
    assert_int_equal(job_environment_add(&environment, job, &err), 0);
    assert_int_equal(environment.count, 1);
    assert_string_equal(value_of(&environment, "TESTFLINGER_OK"), "4");
    json_object_put(job);
    environment_done(&environment);
}

/* As many values as a job can have: some get no variable, none is a reason to fail. */
static void test_a_job_of_very_many_values_is_no_failure(void **state)
{
    struct environment environment = {0};
    struct json_object *job = json_object_new_object();
    struct json_object *list = json_object_new_array();
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < 3 * ENVIRONMENT_MAX; i++)
        assert_int_equal(json_object_array_add(list, json_object_new_int(1)), 0);
    assert_int_equal(json_object_object_add(job, "list_data", list), 0);
    assert_int_equal(job_environment_add(&environment, job, &err), 0);
    assert_int_equal(environment.count, ENVIRONMENT_MAX / 2);
    assert_int_equal(environment_set(&environment, "DEVICE_IP", "10.0.0.1", &err), 0);
    environment_done(&environment);
    json_object_put(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_variable_is_set_once),
        cmocka_unit_test(test_what_is_no_variable_is_refused),
        cmocka_unit_test(test_ours_is_copied),
        cmocka_unit_test(test_names_lead_to_the_values_of_a_job),
        cmocka_unit_test(test_below_a_name_that_is_too_long_there_are_none),
        cmocka_unit_test(test_a_job_of_very_many_values_is_no_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
