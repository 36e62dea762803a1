/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/release.h"

#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_release(const char *text, const char *release)
{
    char found[RELEASE_SIZE];

    release_parse(text, found);
    assert_string_equal(found, release);
}

static void the_point_release_or_the_core_is_told(void **state)
{
    (void)state;
    assert_release("PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\n"
                   "VERSION=\"22.04.5 LTS (Jammy Jellyfish)\"\nID=ubuntu\n",
                   "22.04.5");
    assert_release("NAME=\"Ubuntu Core\"\nVERSION=\"22\"\nID=ubuntu-core\nVERSION_ID=\"22\"\n",
                   "Core 22");
    assert_release("ID=debian\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"", "12");
    assert_release("ID=some\nVERSION='Rolling (x)'\nVERSION_ID=20260101\n", "20260101");
}

static void what_is_no_plain_word_is_unknown(void **state)
{
    (void)state;
    assert_release("", "unknown");
    assert_release("VERSION", "unknown");
    assert_release("VERSION=", "unknown");
    assert_release("VERSION=\"\"\nVERSION_ID=\"$(x)\"\n", "unknown");
    assert_release("ID=ubuntu-core\n", "unknown");
    assert_release("MY_VERSION=1\n#VERSION=2\n", "unknown");
    assert_release("VERSION=1111111111222222222233333333334444444444555555555566666666667777\n",
                   "unknown");
    assert_release("ID=arch\nBUILD_ID=rolling\n", "unknown");
}

static void no_done(void *arg, const struct buf *output)
{
    (void)arg;
    (void)output;
    fail_msg("ssh was started");
}

static void only_a_plain_address_and_user_reach_ssh(void **state)
{
    static const char *const infos[] = {
        "{}",
        "{\"device_info\":{}}",
        "{\"device_info\":{\"device_ip\":\"\"}}",
        "{\"device_info\":{\"device_ip\":\"-oProxyCommand=x\"}}",
        "{\"device_info\":{\"device_ip\":\"a b\"}}",
        "{\"device_info\":{\"device_ip\":\"a;b\"}}",
        "{\"device_info\":{\"device_ip\":17}}",
        "{\"device_info\":{\"device_ip\":\"127.0.0.1\"}}",
        "{\"device_info\":{\"device_ip\":\"a\",\"ssh_port\":65536}}",
        "{\"device_info\":{\"device_ip\":\"a\",\"ssh_port\":-1}}",
    };
    static const char *const jobs[] = {
        "{\"test_data\":{\"test_username\":\"-lx\"}}",
        "{\"test_data\":{\"test_username\":\"a b\"}}",
        "{\"test_data\":{\"test_username\":\"\"}}",
    };
    const struct aside_command answer = {.done = no_done};
    struct json_object *info = NULL, *job = NULL;

    (void)state;
    assert_int_equal(jsn_parse("{}", 2, &job, NULL), 0);
    for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
        assert_int_equal(jsn_parse(infos[i], strlen(infos[i]), &info, NULL), 0);
        assert_null(release_ask(NULL, NULL, info, job, &answer));
        json_object_put(info);
    }
    json_object_put(job);
    assert_int_equal(jsn_parse("{\"device_ip\":\"::2\"}", 19, &info, NULL), 0);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        assert_int_equal(jsn_parse(jobs[i], strlen(jobs[i]), &job, NULL), 0);
        assert_null(release_ask(NULL, NULL, info, job, &answer));
        json_object_put(job);
    }
    json_object_put(info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_point_release_or_the_core_is_told),
        cmocka_unit_test(what_is_no_plain_word_is_unknown),
        cmocka_unit_test(only_a_plain_address_and_user_reach_ssh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
