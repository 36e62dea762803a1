/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/handlers/job.h"

#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The facts of a body sent by a caller with these permissions (NULL: anonymous). */
static struct json_object *facts_of(const char *body, const char *permissions)
{
    const struct job_submission submission = {.new_id = "new", .sha256 = "cafe"};
    struct request req;
    struct buf text = BUF_INIT(100000);
    struct json_object *facts;

    memset(&req, 0, sizeof(req));
    assert_int_equal(jsn_parse(body, strlen(body), &req.json, NULL), 0);
    if (permissions) {
        req.caller.client_id = "client";
        req.caller.authenticated = true;
        assert_int_equal(jsn_parse(permissions, strlen(permissions), &req.caller.permissions, NULL),
                         0);
    }
    assert_int_equal(job_facts(&req, &submission, &text, NULL), 0);
    assert_int_equal(jsn_parse(buf_text(&text), text.len, &facts, NULL), 0);
    json_object_put(req.json);
    json_object_put(req.caller.permissions);
    buf_done(&text);
    return facts;
}

static void assert_fact(const char *body, const char *permissions, const char *key,
                        const char *want)
{
    struct json_object *facts = facts_of(body, permissions);
    struct buf text = BUF_INIT(10000);

    if (json_object_object_get_ex(facts, key, NULL))
        assert_int_equal(jsn_add_tree(&text, jsn_get(facts, key)), 0);
    else
        assert_int_equal(buf_adds(&text, "absent"), 0);
    if (strcmp(buf_text(&text), want) != 0)
        fail_msg("%s of %s: want %s, got %s", key, body, want, buf_text(&text));
    json_object_put(facts);
    buf_done(&text);
}

static void test_the_least_job_has_the_least_facts(void **state)
{
    struct json_object *facts = facts_of("{\"job_queue\":\"q\",\"exclude_agents\":[]}", NULL);
    struct buf text = BUF_INIT(10000);

    (void)state;
    assert_int_equal(jsn_add_tree(&text, facts), 0);
    assert_string_equal(
        buf_text(&text),
        "{\"new_id\":\"new\",\"sha256\":\"cafe\",\"queue\":\"q\",\"exclude_agents\":[]}");
    json_object_put(facts);
    buf_done(&text);
}

static void test_an_id_is_canonical_or_known_to_be_bad(void **state)
{
    static const char key[] = "id";

    (void)state;
    assert_fact("{\"job_queue\":\"q\",\"job_id\":\"URN:UUID:0123456789ABCDEF0123456789abcdef\"}",
                NULL, key, "\"01234567-89ab-cdef-0123-456789abcdef\"");
    assert_fact("{\"job_queue\":\"q\",\"job_id\":\"\"}", NULL, key, "absent");
    assert_fact("{\"job_queue\":\"q\",\"job_id\":\"x\"}", NULL, key, "absent");
    assert_fact("{\"job_queue\":\"q\",\"job_id\":\"x\"}", NULL, "id_bad", "true");
    assert_fact("{\"job_queue\":\"q\"}", NULL, "id_bad", "absent");
}

static void test_a_parent_may_be_any_text(void **state)
{
    static const char id[] =
        "{\"job_queue\":\"q\",\"parent_job_id\":\"0123456789ABCDEF0123456789abcdef\"}";
    static const char text[] = "{\"job_queue\":\"q\",\"parent_job_id\":\"mother\"}";

    (void)state;
    assert_fact(id, NULL, "parent", "\"0123456789ABCDEF0123456789abcdef\"");
    assert_fact(id, NULL, "parent_id", "\"01234567-89ab-cdef-0123-456789abcdef\"");
    assert_fact(text, NULL, "parent", "\"mother\"");
    assert_fact(text, NULL, "parent_id", "absent");
}

static void test_attachments_in_any_section_hold_the_job(void **state)
{
    static const char *const held[] = {
        "{\"job_queue\":\"q\",\"test_data\":{\"attachments\":[]}}",
        "{\"job_queue\":\"q\",\"allocate_data\":{\"attachments\":null}}"};
    static const char *const free[] = {
        "{\"job_queue\":\"q\",\"test_data\":{\"x\":{\"attachments\":1}}}",
        "{\"job_queue\":\"q\",\"attachments\":[1]}",
        "{\"job_queue\":\"q\",\"provision_data\":null}"};

    (void)state;
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        assert_fact(held[i], NULL, "hold", "true");
    for (size_t i = 0; i < sizeof(free) / sizeof(free[0]); i++)
        assert_fact(free[i], NULL, "hold", "absent");
}

/* In the order of their naming, repeated ones too; without any it is still known that there is a
 * place for them. */
static void test_secrets_are_a_list_of_paths(void **state)
{
    (void)state;
    assert_fact(
        "{\"job_queue\":\"q\",\"test_data\":{\"secrets\":{\"B\":\"p/b\",\"A\":\"p/a\",\"C\":"
        "\"p/b\"}}}",
        "{}", "secrets", "[\"p/b\",\"p/a\",\"p/b\"]");
    assert_fact("{\"job_queue\":\"q\",\"test_data\":{\"secrets\":{}}}", "{}", "secrets", "[]");
    assert_fact("{\"job_queue\":\"q\",\"test_data\":{}}", "{}", "secrets", "absent");
}

static void test_the_larger_limit_counts(void **state)
{
    static const char job[] = "{\"job_queue\":\"q\"}";

    (void)state;
    assert_fact(job, "{\"max_priority\":{\"*\":3,\"q\":50}}", "max_priority", "50");
    assert_fact(job, "{\"max_priority\":{\"*\":60,\"q\":50}}", "max_priority", "60");
    assert_fact(job, "{\"max_priority\":{\"x\":50}}", "max_priority", "absent");
    assert_fact(job, "{\"max_priority\":[50]}", "max_priority", "absent");
    assert_fact(job, "{\"max_reservation_time\":{\"q\":86400}}", "max_reservation", "86400");
    assert_fact(job, "{}", "authenticated", "true");
    assert_fact(job, "{}", "client_id", "\"client\"");
    assert_fact(job, NULL, "client_id", "absent");
    assert_fact(job, NULL, "authenticated", "absent");
}

static void test_a_priority_of_none_is_not_told(void **state)
{
    (void)state;
    assert_fact("{\"job_queue\":\"q\",\"job_priority\":-3}", NULL, "priority", "-3");
    assert_fact("{\"job_queue\":\"q\",\"job_priority\":0}", NULL, "priority", "absent");
}

static void test_allowed_queues_are_whole_names(void **state)
{
    static const char job[] = "{\"job_queue\":\"q\"}";

    (void)state;
    assert_fact(job, "{\"allowed_queues\":[\"a\",\"q\"]}", "queue_allowed", "true");
    assert_fact(job, "{\"allowed_queues\":[\"qq\",1,null]}", "queue_allowed", "absent");
    assert_fact(job, "{\"allowed_queues\":\"q\"}", "queue_allowed", "absent");
}

static void test_a_reservation_without_a_time_is_one_all_the_same(void **state)
{
    static const char *const jobs[] = {"{\"job_queue\":\"q\",\"reserve_data\":{}}",
                                       "{\"job_queue\":\"q\",\"reserve_data\":{\"timeout\":null}}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_fact(jobs[i], NULL, "has_reservation", "true");
        assert_fact(jobs[i], NULL, "reserve_timeout", "absent");
    }
    assert_fact("{\"job_queue\":\"q\",\"reserve_data\":{\"timeout\":5}}", NULL, "reserve_timeout",
                "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_least_job_has_the_least_facts),
        cmocka_unit_test(test_an_id_is_canonical_or_known_to_be_bad),
        cmocka_unit_test(test_a_parent_may_be_any_text),
        cmocka_unit_test(test_attachments_in_any_section_hold_the_job),
        cmocka_unit_test(test_secrets_are_a_list_of_paths),
        cmocka_unit_test(test_the_larger_limit_counts),
        cmocka_unit_test(test_a_priority_of_none_is_not_told),
        cmocka_unit_test(test_allowed_queues_are_whole_names),
        cmocka_unit_test(test_a_reservation_without_a_time_is_one_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
