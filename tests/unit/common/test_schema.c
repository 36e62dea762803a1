/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/json.h"
#include "common/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int check_even(struct json_object *value, struct err *err)
{
    return json_object_get_int64(value) % 2 ? err_set(err, ERR_INVALID, "odd") : 0;
}

static int check_short_key(struct json_object *value, struct err *err)
{
    return json_object_get_string_len(value) > 1 ? err_set(err, ERR_INVALID, "long") : 0;
}

static int check_not_both(struct json_object *value, struct err *err)
{
    return jsn_get(value, "a") && jsn_get(value, "b") ? err_set(err, ERR_INVALID, "both") : 0;
}

static const struct schema_field point_fields[] = {
    {.name = "x", .type = SCHEMA_INT, .required = true},
    {.name = "y", .type = SCHEMA_INT},
    {.type = SCHEMA_END},
};
static const struct schema point = {.fields = point_fields};

static const struct schema_field circle_fields[] = {
    {.name = "radius", .type = SCHEMA_INT, .required = true},
    {.type = SCHEMA_END},
};
static const struct schema circle = {.fields = circle_fields};
static const struct schema *const shapes[] = {&point, &circle, NULL};

static const struct schema_field text_item = {.type = SCHEMA_STRING};
static const struct schema_field int_item = {.type = SCHEMA_INT};
static const struct schema_field point_item = {.type = SCHEMA_OBJECT, .nested = &point};

static const struct schema_field all_fields[] = {
    {.name = "s", .type = SCHEMA_STRING, .min = 1, .max = 4},
    {.name = "any", .type = SCHEMA_STRING, .any_text = true},
    {.name = "w", .type = SCHEMA_STRING, .one_of = "red green blue"},
    {.name = "i", .type = SCHEMA_INT},
    {.name = "even", .type = SCHEMA_INT, .check = check_even},
    {.name = "small", .type = SCHEMA_INT, .min = 0, .max = 10},
    {.name = "b", .type = SCHEMA_BOOL},
    {.name = "d", .type = SCHEMA_DURATION, .nullable = true},
    {.name = "t", .type = SCHEMA_DATETIME},
    {.name = "u", .type = SCHEMA_URL},
    {.name = "e", .type = SCHEMA_EMAIL},
    {.name = "o", .type = SCHEMA_OBJECT},
    {.name = "p", .type = SCHEMA_OBJECT, .nested = &point},
    {.name = "l", .type = SCHEMA_LIST, .items = &text_item},
    {.name = "pl", .type = SCHEMA_LIST, .items = &point_item, .min = 1, .max = 2},
    {.name = "m", .type = SCHEMA_MAP, .key_check = check_short_key, .items = &int_item},
    {.name = "v", .type = SCHEMA_VARIANT, .variants = shapes, .nullable = true},
    {.type = SCHEMA_END},
};
static const struct schema all = {.fields = all_fields};

/* Loads len bytes; want is the stored form, or the complaints if code is not ERR_NONE. */
static void assert_load_of(const struct schema *schema, const char *text, size_t len,
                           enum err_code code, const char *want)
{
    struct buf out = BUF_INIT(10000);
    struct json_object *json = NULL;
    struct err err = ERR_INIT;
    int rc = schema_load(schema, text, len, &json, &out, &err);

    if (rc == 0)
        assert_int_equal(jsn_add_tree(&out, json), 0);
    if (want && strcmp(buf_text(&out), want) != 0)
        fail_msg("%.*s\n  want %s\n  got  %s", (int)len, text, want, buf_text(&out));
    assert_int_equal(err.code, code);
    assert_int_equal(rc, code == ERR_NONE ? 0 : -1);
    json_object_put(json);
    buf_done(&out);
}

static void assert_load(const char *text, const char *want)
{
    assert_load_of(&all, text, strlen(text), ERR_NONE, want);
}

static void assert_refused(const char *text, const char *want)
{
    assert_load_of(&all, text, strlen(text), ERR_INVALID, want);
}

/* {"field": value} is stored as {"field": want}; want NULL: refused under the field. */
static void assert_value(const char *field, const char *value, const char *want)
{
    struct buf text = BUF_INIT(1000), stored = BUF_INIT(1000), detail = BUF_INIT(1000);
    struct json_object *json = NULL;
    struct err err = ERR_INIT;
    int rc;

    assert_int_equal(buf_addf(&text, "{\"%s\": %s}", field, value), 0);
    rc = schema_load(&all, buf_text(&text), text.len, &json, &detail, &err);
    if ((rc == 0) != (want != NULL))
        fail_msg("%s: %s", buf_text(&text), rc == 0 ? "taken" : buf_text(&detail));
    if (rc == 0) {
        assert_int_equal(jsn_add_tree(&stored, jsn_get(json, field)), 0);
        assert_string_equal(buf_text(&stored), want);
    } else {
        struct json_object *complaints;

        assert_int_equal(err.code, ERR_INVALID);
        assert_int_equal(jsn_parse(buf_text(&detail), detail.len, &complaints, NULL), 0);
        assert_int_equal(json_object_array_length(jsn_get(complaints, field)), 1);
        json_object_put(complaints);
    }
    json_object_put(json);
    buf_done(&text);
    buf_done(&stored);
    buf_done(&detail);
}

static void test_an_empty_body_is_an_empty_object(void **state)
{
    (void)state;
    assert_load("", "{}");
    assert_load_of(&point, "", 0, ERR_INVALID, "{\"x\":[\"required field is missing\"]}");
}

static void test_text_that_is_not_json_is_a_bad_request(void **state)
{
    (void)state;
    assert_load_of(&all, "{", 1, ERR_BAD_REQUEST, "");
    assert_load_of(&all, "{\"s\":\"\xE9\"}", 9, ERR_BAD_REQUEST, "");
}

static void test_a_body_that_is_no_object_is_refused_as_a_whole(void **state)
{
    static const char *const bodies[] = {"[]", "\"x\"", "5", "null", "true", "NaN", "[{\"s\":1}]"};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_refused(bodies[i], "{\"_schema\":[\"not an object\"]}");
}

static void test_fields_keep_their_order(void **state)
{
    (void)state;
    assert_load("{\"u\":\"http://a.bc\",\"i\":1,\"s\":\"x\"}",
                "{\"u\":\"http://a.bc\",\"i\":1,\"s\":\"x\"}");
}

static void test_unknown_fields_are_refused_at_every_level(void **state)
{
    (void)state;
    assert_refused("{\"zz\":1,\"yy\":2}",
                   "{\"zz\":[\"Unknown field.\"],\"yy\":[\"Unknown field.\"]}");
    assert_refused("{\"p\":{\"x\":1,\"z\":1}}", "{\"p\":{\"z\":[\"Unknown field.\"]}}");
    assert_refused("{\"\\ud800\":1}", NULL);
}

static void test_null_is_refused_where_it_is_not_allowed(void **state)
{
    (void)state;
    assert_refused("{\"s\":null,\"p\":null,\"l\":[null],\"m\":{\"k\":null},\"v\":null}",
                   "{\"s\":[\"must not be null\"],\"p\":[\"must not be null\"],"
                   "\"l\":{\"0\":[\"must not be null\"]},"
                   "\"m\":{\"k\":{\"value\":[\"must not be null\"]}}}");
    assert_load("{\"v\":null,\"d\":null}", "{\"v\":null,\"d\":null}");
}

static void test_strings_are_strings_of_the_size_wanted(void **state)
{
    (void)state;
    assert_value("s", "\"abcd\"", "\"abcd\"");
    assert_value("s", "\"\"", NULL);
    assert_value("s", "\"abcde\"", NULL);
    assert_value("s", "\"\\u20ac\\u20ac\"", NULL); /* two characters, six bytes */
    assert_value("s", "5", NULL);
    assert_value("s", "[\"a\"]", NULL);
    assert_value("s", "\"a\\u0000\"", NULL);
    assert_value("any", "\"a\\u0000\"", "\"a\\u0000\"");
    assert_value("any", "\"\\ud800\"", NULL);
    assert_value("w", "\"green\"", "\"green\"");
    assert_value("w", "\"gree\"", NULL);
    assert_value("w", "\"red green\"", NULL);
    assert_value("w", "\"RED\"", NULL);
    assert_value("w", "\"\"", NULL);
    assert_value("w", "1", NULL);
}

static void test_integers_are_read_as_todays_clients_write_them(void **state)
{
    (void)state;
    assert_value("i", "7", "7");
    assert_value("i", "-7", "-7");
    assert_value("i", "\"3600\"", "3600");
    assert_value("i", "\" 7 \"", "7");
    assert_value("i", "\"1_000\"", "1000");
    assert_value("i", "\"+5\"", "5");
    assert_value("i", "1.9", "1");
    assert_value("i", "-1.9", "-1");
    assert_value("i", "1000000000000000", "1000000000000000");
    assert_value("i", "-9223372036854775808", "-9223372036854775808");
    assert_value("i", "-9223372036854775808.0", "-9223372036854775808");
    assert_value("i", "9223372036854775808", NULL);
    assert_value("i", "\"9223372036854775808\"", NULL);
    assert_value("i", "1e30", NULL);
    assert_value("i", "1e400", NULL);
    assert_value("i", "NaN", NULL);
    assert_value("i", "\"1.5\"", NULL);
    assert_value("i", "\"1__0\"", NULL);
    assert_value("i", "\"_1\"", NULL);
    assert_value("i", "\"\"", NULL);
    assert_value("i", "\"soon\"", NULL);
    assert_value("i", "\"1\\u0000\"", NULL);
    assert_value("i", "true", NULL);
    assert_value("i", "[1]", NULL);
    assert_value("small", "10", "10");
    assert_value("small", "11", NULL);
    assert_value("small", "-1", NULL);
    assert_value("even", "\"4\"", "4");
    assert_value("even", "5", NULL);
}

static void test_booleans_are_also_the_usual_words(void **state)
{
    (void)state;
    assert_value("b", "true", "true");
    assert_value("b", "\"yes\"", "true");
    assert_value("b", "\"Off\"", "false");
    assert_value("b", "1", "true");
    assert_value("b", "0", "false");
    assert_value("b", "1.0", "true");
    assert_value("b", "\"0\"", "false");
    assert_value("b", "2", NULL);
    assert_value("b", "-1", NULL);
    assert_value("b", "\"perhaps\"", NULL);
    assert_value("b", "\"yes\\u0000\"", NULL);
    assert_value("b", "[]", NULL);
}

static void test_durations_become_seconds(void **state)
{
    (void)state;
    assert_value("d", "0", "0");
    assert_value("d", "\"007\"", "7");
    assert_value("d", "\"1_000\"", "1000");
    assert_value("d", "\"+5\"", "5");
    assert_value("d", "true", "1");
    assert_value("d", "\" 1h 30m \"", "5400");
    assert_value("d", "\"1h1H\"", "7200");
    assert_value("d", "\"2d5h30m\"", "192600");
    assert_value("d", "\"90sec\"", "90");
    assert_value("d", "\"1 h\"", "3600");
    assert_value("d", "-1", NULL);
    assert_value("d", "\"-1\"", NULL);
    assert_value("d", "\"-1h\"", NULL);
    assert_value("d", "\"\"", NULL);
    assert_value("d", "\"  \"", NULL);
    assert_value("d", "\"1x\"", NULL);
    assert_value("d", "\"h\"", NULL);
    assert_value("d", "\"1.5h\"", NULL);
    assert_value("d", "1.5", NULL);
    assert_value("d", "[60]", NULL);
    assert_value("d", "{\"h\":1}", NULL);
    assert_value("d", "\"30m later\"", NULL);
    assert_value("d", "\"1h-30m\"", NULL);
    assert_value("d", "9223372036854775808", NULL);
}

static void test_times_keep_their_text(void **state)
{
    (void)state;
    assert_value("t", "\"2024-05-01T10:00:00Z\"", "\"2024-05-01T10:00:00Z\"");
    assert_value("t", "\"2024-05-01 10:00\"", "\"2024-05-01 10:00\"");
    assert_value("t", "\"2024-05-01T10:00:00.123456+0200\"", "\"2024-05-01T10:00:00.123456+0200\"");
    assert_value("t", "\"2024-05-01\"", NULL);
    assert_value("t", "\"now\"", NULL);
    assert_value("t", "1714557600", NULL);
    assert_value("t", "\"2024-05-01T10:00:00Z\\u0000\"", NULL);
}

static void test_urls_need_a_known_scheme_and_a_real_host(void **state)
{
    static const char *const good[] = {
        "\"http://example.test/image.img\"",
        "\"https://e.test\"",
        "\"ftp://example.test/x\"",
        "\"http://localhost:8000/x\"",
        "\"http://10.0.0.1/x.img\"",
        "\"http://[::1]:80/\"",
        "\"HTTPS://user:pw@a.example:1/?q\"",
        "\"ftps://a.b.co\"",
        "\"http://a.test?x=1\"",
    };
    static const char *const bad[] = {
        "\"example.test\"",
        "\"gopher://example.test\"",
        "\"http://\"",
        "\"http://example\"",
        "\"http://a b.test\"",
        "\"http://-a.test\"",
        "\"http://a.test:x\"",
        "\"http://.test\"",
        "\"file:///etc/passwd\"",
        "\"http://a.test/a b\"",
        "5",
        "\"\"",
        "\"http://$DEVICE_IP/\"",
        "\"http://a..test\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_value("u", good[i], good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_value("u", bad[i], NULL);
}

static void test_mail_addresses_need_a_dotted_host_or_localhost(void **state)
{
    static const char *const good[] = {"\"a@example.com\"", "\"a@localhost\"", "\"x.y+z@a.b.co\""};
    static const char *const bad[] = {"\"nobody\"",  "\"a@b\"",      "\"@a.com\"",
                                      "\"a@\"",      "\"a b@c.de\"", "\".a@b.co\"",
                                      "\"a.@b.co\"", "\"a@b.co.\"",  "\"a..b@c.de\""};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_value("e", good[i], good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_value("e", bad[i], NULL);
}

static void test_free_form_objects_are_kept_token_for_token(void **state)
{
    (void)state;
    assert_load("{\"o\":{\"z\":1.10,\"a\":[null,\"\\u0000\",1e400,{\"k\":-0}]}}",
                "{\"o\":{\"z\":1.10,\"a\":[null,\"\\u0000\",1e400,{\"k\":-0}]}}");
    assert_refused("{\"o\":[]}", "{\"o\":[\"not an object\"]}");
}

static void test_values_nothing_can_keep_are_named_inside_free_form(void **state)
{
    (void)state;
    assert_refused("{\"o\":{\"a\":[1,NaN],\"b\":1,\"c\":{\"d\":99999999999999999999}}}",
                   "{\"o\":{\"a\":{\"1\":[\"not a finite number\"]},"
                   "\"c\":{\"d\":[\"integer does not fit into 64 bits\"]}}}");
}

static void test_lists_name_the_position_of_what_is_wrong(void **state)
{
    (void)state;
    assert_refused("{\"l\":[1,\"x\",null]}",
                   "{\"l\":{\"0\":[\"not a string\"],\"2\":[\"must not be null\"]}}");
    assert_refused("{\"l\":\"x\"}", "{\"l\":[\"not a list\"]}");
    assert_refused(
        "{\"pl\":[{\"x\":1},{\"y\":\"q\"},5]}",
        "{\"pl\":{\"1\":{\"y\":[\"not an integer\"],\"x\":[\"required field is missing\"]},"
        "\"2\":{\"_schema\":[\"not an object\"]}}}");
    assert_refused("{\"pl\":[]}", "{\"pl\":[\"fewer than 1 items\"]}");
    assert_refused("{\"pl\":[{\"x\":1},{\"x\":1},{\"x\":1}]}", "{\"pl\":[\"more than 2 items\"]}");
    assert_load("{\"pl\":[{\"x\":\"1\"}]}", "{\"pl\":[{\"x\":1}]}");
}

static void test_maps_tell_bad_keys_from_bad_values(void **state)
{
    (void)state;
    assert_refused("{\"m\":{\"k\":1,\"long\":\"x\",\"q\":\"x\",\"very\":2}}",
                   "{\"m\":{\"long\":{\"key\":[\"long\"],\"value\":[\"not an integer\"]},"
                   "\"q\":{\"value\":[\"not an integer\"]},\"very\":{\"key\":[\"long\"]}}}");
    assert_refused("{\"m\":{\"k\":NaN}}", "{\"m\":{\"k\":{\"value\":[\"not a finite number\"]}}}");
    assert_load("{\"m\":{\"b\":\"2\",\"a\":1.9}}", "{\"m\":{\"b\":2,\"a\":1}}");
}

static void test_the_first_variant_that_fits_is_taken(void **state)
{
    (void)state;
    assert_load("{\"v\":{\"radius\":\"2\"}}", "{\"v\":{\"radius\":2}}");
    assert_load("{\"v\":{\"y\":\"3\",\"x\":1}}", "{\"v\":{\"y\":3,\"x\":1}}");
    assert_refused("{\"v\":{\"x\":1,\"radius\":1}}",
                   "{\"v\":{\"_schema\":[\"fits none of the known shapes\"]}}");
    assert_refused("{\"v\":\"skip\"}", "{\"v\":{\"_schema\":[\"not an object\"]}}");
}

static void test_object_checks_wait_for_the_fields(void **state)
{
    static const struct schema_field fields[] = {
        {.name = "a", .type = SCHEMA_INT},
        {.name = "b", .type = SCHEMA_INT},
        {.name = "c", .type = SCHEMA_LIST, .items = &int_item, .fallback = "[1]"},
        {.type = SCHEMA_END},
    };
    static const struct schema schema = {.fields = fields, .check = check_not_both};

    (void)state;
    assert_load_of(&schema, "{\"b\":1}", 7, ERR_NONE, "{\"b\":1,\"c\":[1]}");
    assert_load_of(&schema, "{\"c\":[]}", 8, ERR_NONE, "{\"c\":[]}");
    assert_load_of(&schema, "{\"a\":1,\"b\":1}", 13, ERR_INVALID, "{\"_schema\":[\"both\"]}");
    assert_load_of(&schema, "{\"a\":1,\"b\":[]}", 14, ERR_INVALID, "{\"b\":[\"not an integer\"]}");
}

static void test_complaints_are_many_but_not_endless(void **state)
{
    struct buf text = BUF_INIT((size_t)4 << 20), detail = BUF_INIT((size_t)4 << 20);
    struct json_object *json, *complaints;

    (void)state;
    (void)buf_adds(&text, "{\"l\":[1");
    for (int i = 0; i < 100000; i++)
        (void)buf_adds(&text, ",1");
    (void)buf_adds(&text, "],\"v\":{\"x\":[]},\"s\":5}");
    assert_int_equal(schema_load(&all, buf_text(&text), text.len, &json, &detail, NULL), -1);
    assert_int_equal(jsn_parse(buf_text(&detail), detail.len, &complaints, NULL), 0);
    assert_int_equal(json_object_object_length(jsn_get(complaints, "l")), 1000);
    json_object_put(complaints);
    buf_done(&text);
    buf_done(&detail);
}

static void test_open_schemas_keep_what_they_do_not_know(void **state)
{
    static const struct schema_field none[] = {{.type = SCHEMA_END}};
    static const struct schema schema = {.fields = none, .open = true, .check = check_not_both};

    (void)state;
    assert_load_of(&schema, "{\"q\":[1]}", 9, ERR_NONE, "{\"q\":[1]}");
    assert_load_of(&schema, "{\"q\":[NaN]}", 11, ERR_INVALID,
                   "{\"_schema\":[\"a value in it is out of range\"]}");
    assert_load_of(&schema, "{\"a\":1,\"b\":1}", 13, ERR_INVALID, "{\"_schema\":[\"both\"]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_body_is_an_empty_object),
        cmocka_unit_test(test_text_that_is_not_json_is_a_bad_request),
        cmocka_unit_test(test_a_body_that_is_no_object_is_refused_as_a_whole),
        cmocka_unit_test(test_fields_keep_their_order),
        cmocka_unit_test(test_unknown_fields_are_refused_at_every_level),
        cmocka_unit_test(test_null_is_refused_where_it_is_not_allowed),
        cmocka_unit_test(test_strings_are_strings_of_the_size_wanted),
        cmocka_unit_test(test_integers_are_read_as_todays_clients_write_them),
        cmocka_unit_test(test_booleans_are_also_the_usual_words),
        cmocka_unit_test(test_durations_become_seconds),
        cmocka_unit_test(test_times_keep_their_text),
        cmocka_unit_test(test_urls_need_a_known_scheme_and_a_real_host),
        cmocka_unit_test(test_mail_addresses_need_a_dotted_host_or_localhost),
        cmocka_unit_test(test_free_form_objects_are_kept_token_for_token),
        cmocka_unit_test(test_values_nothing_can_keep_are_named_inside_free_form),
        cmocka_unit_test(test_lists_name_the_position_of_what_is_wrong),
        cmocka_unit_test(test_maps_tell_bad_keys_from_bad_values),
        cmocka_unit_test(test_the_first_variant_that_fits_is_taken),
        cmocka_unit_test(test_object_checks_wait_for_the_fields),
        cmocka_unit_test(test_complaints_are_many_but_not_endless),
        cmocka_unit_test(test_open_schemas_keep_what_they_do_not_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
