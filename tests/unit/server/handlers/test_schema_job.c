/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/json.h"
#include "server/handlers/handlers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The job with this section is stored with want in its place (NULL: as it came). */
static void assert_stored(const char *section, const char *want)
{
    struct buf text = BUF_INIT(10000), full = BUF_INIT(10000), out = BUF_INIT(10000);
    struct json_object *json = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(buf_addf(&text, "{\"job_queue\":\"q\",%s}", section), 0);
    assert_int_equal(
        buf_addf(&full, "{\"job_queue\":\"q\",%s,\"exclude_agents\":[]}", want ? want : section),
        0);
    if (schema_load(&schema_job, buf_text(&text), text.len, &json, &out, &err) < 0)
        fail_msg("%s: %s", section, buf_text(&out));
    assert_int_equal(jsn_add_tree(&out, json), 0);
    assert_string_equal(buf_text(&out), buf_text(&full));
    json_object_put(json);
    buf_done(&text);
    buf_done(&full);
    buf_done(&out);
}

/* Refused; the complaints with every reason replaced by true are want. */
static void assert_refused(const char *section, const char *want)
{
    struct buf text = BUF_INIT(10000), detail = BUF_INIT(10000);
    struct json_object *json = NULL;
    struct err err = ERR_INIT;
    char *from, *to;

    assert_int_equal(buf_addf(&text, "{\"job_queue\":\"q\",%s}", section), 0);
    if (schema_load(&schema_job, buf_text(&text), text.len, &json, &detail, &err) == 0)
        fail_msg("taken: %s", section);
    assert_int_equal(err.code, ERR_INVALID);
    for (from = to = detail.data; *from; from++) { /* ["why"] -> true */
        if (*from == '[') {
            memcpy(to, "true", 4);
            to += 4;
            from = strchr(from, ']');
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    assert_string_equal(detail.data, want);
    buf_done(&text);
    buf_done(&detail);
}

static void test_a_queue_is_all_that_is_needed(void **state)
{
    struct buf detail = BUF_INIT(1000), out = BUF_INIT(1000);
    struct json_object *json = NULL;

    (void)state;
    assert_int_equal(schema_load(&schema_job, "", 0, &json, &detail, NULL), -1);
    assert_int_equal(schema_load(&schema_job, "{\"job_queue\":\"q\"}", 17, &json, &detail, NULL),
                     0);
    assert_int_equal(jsn_add_tree(&out, json), 0);
    assert_string_equal(buf_text(&out), "{\"job_queue\":\"q\",\"exclude_agents\":[]}");
    json_object_put(json);
    buf_done(&detail);
    buf_done(&out);
}

static void test_numbers_and_words_are_coerced(void **state)
{
    (void)state;
    assert_stored("\"global_timeout\":\"3600\",\"debug\":\"yes\",\"job_priority\":1.9",
                  "\"global_timeout\":3600,\"debug\":true,\"job_priority\":1");
    assert_stored("\"reserve_data\":{\"timeout\":\"1d5h30m\",\"ssh_keys\":[\"lp:me\",\"gh:you\"]}",
                  "\"reserve_data\":{\"timeout\":106200,\"ssh_keys\":[\"lp:me\",\"gh:you\"]}");
    assert_stored("\"reserve_data\":{\"timeout\":null}", NULL);
}

static void test_every_provisioning_shape_is_taken(void **state)
{
    static const char *const shapes[] = {
        "{}",
        "{\"url\":\"http://example.test/i\"}",
        "{\"distro\":\"noble\",\"disks\":[{\"id\":\"d0\",\"any\":[1.50]}],\"ephemeral\":true}",
        "{\"jobs\":[{\"job_queue\":\"a\"},{\"job_queue\":\"b\",\"x\":null}]}",
        "{\"url\":\"http://example.test/i\",\"media\":\"sd\"}",
        "{\"use_attachment\":\"i.xz\",\"attachments\":[{\"agent\":\"i.xz\"}],\"create_user\":"
        "false}",
        "{\"skip\":false}",
        "{\"url\":\"http://example.test/i\",\"token_file\":\"t\",\"redeploy_cfg\":\"r\"}",
        "{\"control_host_iso_url\":\"x\",\"update_user_data\":true}",
        "{\"provision_plan\":{\"run\":[1,2]},\"urls\":[\"https://e.test/b\"]}",
        "{\"preset\":\"p\",\"preset_kwargs\":{\"k\":1},\"url\":\"http://example.test/i\"}",
        "{\"preset\":\"p\",\"attachments\":[{\"agent\":\"a\"}]}",
        "{\"url\":\"http://example.test/i\",\"robot_tasks\":[\"a\"],\"autoinstall_oem\":true}",
        "{\"url\":\"http://"
        "e.test\",\"robot_tasks\":[],\"live_image\":true,\"wait_until_ssh\":false}",
        "{\"alloem_url\":\"http://example.test/i\",\"robot_tasks\":[\"a\"],\"oem\":\"x\"}",
        "{\"preset\":\"p\",\"robot_tasks\":[\"a\"],\"live_image\":true}",
        "null",
    };
    char section[500];

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        assert_true(snprintf(section, sizeof(section), "\"provision_data\":%s", shapes[i]) > 0);
        assert_stored(section, NULL);
    }
    assert_stored("\"provision_data\":{\"use_attachment\":\"x\",\"create_user\":\"on\"}",
                  "\"provision_data\":{\"use_attachment\":\"x\",\"create_user\":true}");
}

static void test_what_fits_no_shape_is_refused(void **state)
{
    static const char *const shapes[] = {
        "{\"colour\":\"red\"}",
        "{\"url\":\"example.test\"}",
        "{\"jobs\":[]}",
        "{\"media\":\"sd\"}",
        "{\"url\":\"http://e.test\",\"media\":\"tape\"}",
        "{\"provision_plan\":{},\"url\":\"http://e.test\",\"urls\":[\"http://e.test\"]}",
        "{\"provision_plan\":{}}",
        "{\"preset\":\"p\",\"attachments\":[{\"agent\":\"a\"},{\"agent\":\"b\"}]}",
        "{\"distro\":null}",
        "{\"disks\":[NaN]}",
        "[]",
        "\"skip\"",
        "false",
    };
    char section[500];

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        assert_true(snprintf(section, sizeof(section), "\"provision_data\":%s", shapes[i]) > 0);
        assert_refused(section, "{\"provision_data\":{\"_schema\":true}}");
    }
}

static void test_ssh_keys_name_a_site_and_a_user(void **state)
{
    (void)state;
    assert_refused(
        "\"reserve_data\":{\"ssh_keys\":[\"lp:ok\",\"me\",\"gh:\",\"gh:a b\",1]}",
        "{\"reserve_data\":{\"ssh_keys\":{\"1\":true,\"2\":true,\"3\":true,\"4\":true}}}");
}

static void test_secrets_have_names_and_paths(void **state)
{
    (void)state;
    assert_stored("\"test_data\":{\"secrets\":{\"_A1\":\"a/b-c_d\"}}", NULL);
    assert_refused("\"test_data\":{\"secrets\":{\"1A\":\"p\",\"B\":\"a b\",\"C-\":\"\",\"\":5}}",
                   "{\"test_data\":{\"secrets\":{\"1A\":{\"key\":true},\"B\":{\"value\":true},"
                   "\"C-\":{\"key\":true,\"value\":true},\"\":{\"key\":true,\"value\":true}}}}");
}

static void test_names_are_bounded(void **state)
{
    struct buf section = BUF_INIT(10000);

    (void)state;
    (void)buf_adds(&section, "\"tags\":[\"");
    for (int i = 0; i < NAME_MAX_BYTES; i++)
        (void)buf_addc(&section, 'x');
    (void)buf_adds(&section, "\"]");
    assert_stored(buf_text(&section), NULL);
    buf_cut(&section, section.len - 2);
    (void)buf_adds(&section, "x\"]");
    assert_refused(buf_text(&section), "{\"tags\":{\"0\":true}}");
    buf_done(&section);
}

static void test_zero_characters_are_for_free_form_sections_only(void **state)
{
    (void)state;
    assert_stored("\"allocate_data\":{\"x\":\"a\\u0000b\"}", NULL);
    assert_stored("\"firmware_update_data\":{\"x\":[\"\\u0000\"]}", NULL);
    assert_refused("\"name\":\"a\\u0000b\"", "{\"name\":true}");
    assert_refused("\"test_data\":{\"test_cmds\":\"a\\u0000b\"}",
                   "{\"test_data\":{\"test_cmds\":true}}");
}

static void test_a_retry_policy_is_checked_and_shown_as_given(void **state)
{
    (void)state;
    assert_stored("\"retry\":{\"max\":3}", NULL);
    assert_stored("\"retry\":{\"max\":\"10\",\"on\":[\"agent_lost\",\"provision\",\"timed_out\"],"
                  "\"avoid_same_agent\":\"yes\",\"backoff\":60}",
                  "\"retry\":{\"max\":10,\"on\":[\"agent_lost\",\"provision\",\"timed_out\"],"
                  "\"avoid_same_agent\":true,\"backoff\":60}");
    assert_refused("\"retry\":{}", "{\"retry\":{\"max\":true}}");
    assert_refused("\"retry\":{\"max\":11}", "{\"retry\":{\"max\":true}}");
    assert_refused("\"retry\":{\"max\":1,\"on\":[\"cancelled\"]}",
                   "{\"retry\":{\"on\":{\"0\":true}}}");
    assert_refused("\"retry\":{\"max\":1,\"backoff\":-1}", "{\"retry\":{\"backoff\":true}}");
    assert_refused("\"retry\":{\"max\":1,\"often\":1}", "{\"retry\":{\"often\":true}}");
    assert_refused("\"retry\":3", "{\"retry\":{\"_schema\":true}}");
    assert_stored("\"max_wait\":3600", NULL);
    assert_refused("\"max_wait\":0", "{\"max_wait\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_retry_policy_is_checked_and_shown_as_given),
        cmocka_unit_test(test_a_queue_is_all_that_is_needed),
        cmocka_unit_test(test_numbers_and_words_are_coerced),
        cmocka_unit_test(test_every_provisioning_shape_is_taken),
        cmocka_unit_test(test_what_fits_no_shape_is_refused),
        cmocka_unit_test(test_ssh_keys_name_a_site_and_a_user),
        cmocka_unit_test(test_secrets_have_names_and_paths),
        cmocka_unit_test(test_names_are_bounded),
        cmocka_unit_test(test_zero_characters_are_for_free_form_sections_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
