/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connector/failure.h"

#include "common/fs.h"
#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The file is written where we are. */
static int enter_directory(void **state)
{
    char path[] = "/tmp/test_failure.XXXXXX";

    if (!mkdtemp(path) || chdir(path) < 0)
        return -1;
    *state = strdup(path);
    return *state ? 0 : -1;
}

static int leave_directory(void **state)
{
    int rc = chdir("/");

    rc = fs_remove_tree(*state, NULL) < 0 ? -1 : rc;
    free(*state);
    return rc;
}

static void assert_written(const struct failure *failure, enum stage stage, const char *expected)
{
    struct buf text = BUF_INIT(100000);
    struct err err = ERR_INIT;

    assert_int_equal(failure_write(failure, stage, &err), 0);
    assert_int_equal(fs_read(FAILURE_FILE, &text, &err), 0);
    assert_string_equal(buf_text(&text), expected);
    buf_done(&text);
}

static void test_a_failure_has_name_message_and_cause(void **state)
{
    const struct err cause = {ERR_UPSTREAM, "no \"answer\""};
    struct failure failure;

    (void)state;
    assert_int_equal(failure_set(&failure, FAILURE_STAGE, &cause, "could not %s", "boot"), -1);
    assert_int_equal(failure_status(&failure), 1);
    assert_written(&failure, STAGE_PROVISION,
                   "{\"provision_exception_info\":{\"exception_name\":\"ProvisioningError\","
                   "\"exception_message\":\"could not boot\","
                   "\"exception_cause\":\"no \\\"answer\\\"\"}}");
    /* another stage stands beside it, the same one in its place */
    assert_int_equal(failure_set(&failure, FAILURE_RECOVERY, NULL, "dead"), -1);
    assert_int_equal(failure_status(&failure), 46);
    assert_int_equal(failure_write(&failure, STAGE_PROVISION, NULL), 0);
    assert_int_equal(failure_set(&failure, FAILURE_JOB, NULL, "what?"), -1);
    assert_written(&failure, STAGE_RUNTEST,
                   "{\"provision_exception_info\":{\"exception_name\":\"RecoveryError\","
                   "\"exception_message\":\"dead\",\"exception_cause\":\"\"},"
                   "\"runtest_exception_info\":{\"exception_name\":\"JobError\","
                   "\"exception_message\":\"what?\",\"exception_cause\":\"\"}}");
}

static void test_a_status_of_its_own_wins(void **state)
{
    struct failure failure;

    (void)state;
    (void)failure_set(&failure, FAILURE_STAGE, NULL, "x");
    failure.status = 7;
    assert_int_equal(failure_status(&failure), 7);
}

static void test_who_is_to_blame_is_in_the_error(void **state)
{
    const struct err of_job = {ERR_BAD_REQUEST, "a"}, of_lab = {ERR_INVALID, "b"};
    struct failure failure;

    (void)state;
    (void)failure_from_input(&failure, &of_job);
    assert_int_equal(failure.kind, FAILURE_JOB);
    (void)failure_from_input(&failure, &of_lab);
    assert_int_equal(failure.kind, FAILURE_CONFIG);
    assert_string_equal(failure.message, "b");
}

static void test_what_is_no_text_is_written_as_one(void **state)
{
    struct failure failure;

    (void)state;
    (void)failure_set(&failure, FAILURE_STAGE, NULL, "a\xff\x01");
    assert_written(&failure, STAGE_CLEANUP,
                   "{\"cleanup_exception_info\":{\"exception_name\":\"CleanupError\","
                   "\"exception_message\":\"a\xEF\xBF\xBD\\u0001\",\"exception_cause\":\"\"}}");
}

static void test_every_stage_has_a_name(void **state)
{
    (void)state;
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
        assert_int_equal(stage_find(stage_name(stage)), stage);
        assert_non_null(strstr(stage_error(stage), "Error"));
        assert_true(*stage_help(stage));
    }
    assert_int_equal(stage_find("nothing"), -1);
}

static void test_a_pipe_in_place_of_the_file_is_not_waited_for(void **state)
{
    struct failure failure;

    (void)state;
    (void)alarm(30);
    (void)unlink(FAILURE_FILE);
    assert_int_equal(mkfifo(FAILURE_FILE, 0600), 0);
    (void)failure_set(&failure, FAILURE_STAGE, NULL, "x");
    assert_written(&failure, STAGE_CLEANUP,
                   "{\"cleanup_exception_info\":{\"exception_name\":\"CleanupError\","
                   "\"exception_message\":\"x\",\"exception_cause\":\"\"}}");
    (void)alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_failure_has_name_message_and_cause, enter_directory,
                                        leave_directory),
        cmocka_unit_test(test_a_status_of_its_own_wins),
        cmocka_unit_test(test_who_is_to_blame_is_in_the_error),
        cmocka_unit_test_setup_teardown(test_what_is_no_text_is_written_as_one, enter_directory,
                                        leave_directory),
        cmocka_unit_test(test_every_stage_has_a_name),
        cmocka_unit_test_setup_teardown(test_a_pipe_in_place_of_the_file_is_not_waited_for,
                                        enter_directory, leave_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
