/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct example {
    const char *yaml;
    const char *json;
};

static void assert_reads_as(const char *yaml, const char *json)
{
    struct json_object *tree = NULL;
    struct err err = ERR_INIT;

    if (yml_parse(yaml, strlen(yaml), &tree, &err) < 0)
        fail_msg("%s: %s", yaml, err.text);
    assert_string_equal(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE),
                        json);
    (void)json_object_put(tree);
}

static void assert_all_read_as(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_reads_as(examples[i].yaml, examples[i].json);
}

#define ASSERT_ALL(examples) assert_all_read_as(examples, sizeof(examples) / sizeof((examples)[0]))

static void assert_refused(const char *yaml, size_t len, const char *why)
{
    struct json_object *tree = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(yml_parse(yaml, len, &tree, &err), -1);
    assert_null(tree);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void test_words_are_booleans_and_null_as_in_yaml_1_1(void **state)
{
    static const struct example examples[] = {
        {"[yes, Yes, YES, on, true, True]", "[true,true,true,true,true,true]"},
        {"[no, off, Off, false, FALSE]", "[false,false,false,false,false]"},
        {"[null, ~, Null, NULL, ]", "[null,null,null,null]"},
        {"a:\nb: ~\n", "{\"a\":null,\"b\":null}"},
        {"[y, n, yEs, nil, t, f]", "[\"y\",\"n\",\"yEs\",\"nil\",\"t\",\"f\"]"},
    };

    (void)state;
    ASSERT_ALL(examples);
}

static void test_numbers_are_read_in_every_base_of_yaml_1_1(void **state)
{
    static const struct example examples[] = {
        {"[0, -0, +7, 1_000, 42]", "[0,0,7,1000,42]"},
        {"[0x1F, 0b101, 017, -0x10, 1:30, 1:00:00]", "[31,5,15,-16,90,3600]"},
        {"[9223372036854775807, -9223372036854775808]",
         "[9223372036854775807,-9223372036854775808]"},
        {"[1.5, -0.25, .5, 1., 6.0e+3, 1_0.5, 1:30.5]", "[1.5,-0.25,0.5,1.0,6000.0,10.5,90.5]"},
        {"[0.1, 1.10, 1.0e+300]", "[0.1,1.1,1e+300]"},
        {"[1e3, 08, 0o17, 1.2.3, 1.0e3, -, +, 0x]",
         "[\"1e3\",\"08\",\"0o17\",\"1.2.3\",\"1.0e3\",\"-\",\"+\",\"0x\"]"},
        {"[2024-01-02, 12:99, 192.168.1.1]", "[\"2024-01-02\",\"12:99\",\"192.168.1.1\"]"},
    };

    (void)state;
    ASSERT_ALL(examples);
}

static void test_quoted_and_tagged_scalars_keep_their_type(void **state)
{
    static const struct example examples[] = {
        {"[\"yes\", 'null', \"12\", '']", "[\"yes\",\"null\",\"12\",\"\"]"},
        {"[!!str 12, ! yes, !!int \"12\"]", "[\"12\",\"yes\",12]"},
        {"\"\\u00e9\\x41\\n\"", "\"é"
                                "A\\n\""},
        {"|\n  one\n   two\n", "\"one\\n two\\n\""},
        {">-\n  one\n  two\n", "\"one two\""},
    };

    (void)state;
    ASSERT_ALL(examples);
}

static void test_keys_become_texts_and_the_last_of_two_counts(void **state)
{
    static const struct example examples[] = {
        {"1: a\nyes: b\n~: c\n", "{\"1\":\"a\",\"true\":\"b\",\"null\":\"c\"}"},
        {"a: 1\na: 2\n", "{\"a\":2}"},
        {"a: {b: [1, {c: d}]}", "{\"a\":{\"b\":[1,{\"c\":\"d\"}]}}"},
    };

    (void)state;
    ASSERT_ALL(examples);
}

static void test_aliases_copy_and_merge_keys_fill_in(void **state)
{
    static const struct example examples[] = {
        {"a: &x [1, 2]\nb: *x\n", "{\"a\":[1,2],\"b\":[1,2]}"},
        {"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
        {"a: &k key\n*k : 1\n", "{\"a\":\"key\",\"key\":1}"},
        {"base: &b {x: 1, y: 2}\nd: {<<: *b, x: 3}\n",
         "{\"base\":{\"x\":1,\"y\":2},\"d\":{\"x\":3,\"y\":2}}"},
        {"- &a {x: 1}\n- &b {x: 2, y: 3}\n- <<: [*a, *b]\n",
         "[{\"x\":1},{\"x\":2,\"y\":3},{\"x\":1,\"y\":3}]"},
    };

    (void)state;
    ASSERT_ALL(examples);
}

static void test_an_empty_document_is_null(void **state)
{
    static const struct example examples[] = {
        {"", "null"},
        {"# nothing\n", "null"},
        {"---\n", "null"},
    };

    (void)state;
    ASSERT_ALL(examples);
}

static void test_errors_name_line_and_column(void **state)
{
    static const struct {
        const char *yaml;
        const char *why;
    } examples[] = {
        {"a: 1\nb: [1, 2\nc: 3\n", "line 3, column "},
        {"a: 1\n b: 2\n", "line 2, column "},
        {"a:\n\tb: 1\n", "line 2, column 1: "},
        {"a: *nobody\n", "line 1, column 4: alias of an unkno"},
        {"a: &x [*x]\n", "alias of an unknown anchor"},
        {"- 1\n---\n- 2\n", "line 2, column 1: more than one doc"},
        {"[a, b]: 1\n", "line 1, column 1: a key must be"},
        {"\"a\\0b\": 1\n", "a key must not hold a NUL"},
        {"x: 9223372036854775808\n", "line 1, column 4: an integer that does not fit"},
        {"x: .inf\n", "line 1, column 4: a number that JSON cannot hold"},
        {"x: !!python/object:os {}\n", "line 1, column 4: "},
        {"x: !!binary aGk=\n", "line 1, column 4: tag that is not"},
        {"{<<: 3}\n", "only mappings can be merged"},
        {"a: \"\\xZZ\"\n", "line 1, column "},
        {"a: \x01\n", "control characters"},
        {"a: \xff\xfe\n", "byte 3: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        assert_refused(examples[i].yaml, strlen(examples[i].yaml), examples[i].why);
}

static void test_nesting_is_bounded(void **state)
{
    char text[2 * (YML_DEPTH_MAX + 1) + 1];

    (void)state;
    memset(text, '[', YML_DEPTH_MAX + 1);
    memset(text + YML_DEPTH_MAX + 1, ']', YML_DEPTH_MAX + 1);
    assert_refused(text, sizeof(text) - 1, "nested too deeply");
    text[2 * YML_DEPTH_MAX + 1] = '\0';
    assert_reads_as("[[[[1]]]]", "[[[[1]]]]");
}

static void test_aliases_cannot_nest_beyond_the_limit(void **state)
{
    struct buf text = BUF_INIT(1 << 20);

    (void)state;
    assert_int_equal(buf_adds(&text, "- &a0 [1]\n"), 0);
    for (int i = 1; i <= YML_DEPTH_MAX; i++)
        assert_int_equal(buf_addf(&text, "- &a%d [*a%d]\n", i, i - 1), 0);
    assert_refused(text.data, text.len, "nested too deeply");
    buf_done(&text);
}

static void test_a_document_that_explodes_by_its_aliases_is_refused(void **state)
{
    struct buf text = BUF_INIT(1 << 20);

    (void)state;
    assert_int_equal(buf_adds(&text, "- &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"), 0);
    for (int i = 1; i <= 9; i++)
        assert_int_equal(buf_addf(&text,
                                  "- &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                                  i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1),
                         0);
    assert_refused(text.data, text.len, "too large once its aliases are expanded");
    buf_done(&text);
}

static void test_a_long_plain_scalar_is_a_text(void **state)
{
    struct buf text = BUF_INIT(1 << 20), json = BUF_INIT(1 << 20);

    (void)state;
    for (int i = 0; i < 500; i++)
        assert_int_equal(buf_addc(&text, '7'), 0);
    assert_int_equal(buf_addf(&json, "\"%s\"", buf_text(&text)), 0);
    assert_reads_as(buf_text(&text), buf_text(&json));
    buf_done(&text);
    buf_done(&json);
}

static void test_too_long_a_document_is_refused(void **state)
{
    char *text = malloc(YML_TEXT_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', YML_TEXT_MAX + 1);
    assert_refused(text, YML_TEXT_MAX + 1, "more than");
    free(text);
}

static void test_a_zero_byte_inside_a_value_survives(void **state)
{
    struct json_object *tree = NULL;

    (void)state;
    assert_int_equal(yml_parse("\"a\\0b\"", 6, &tree, NULL), 0);
    assert_int_equal(json_object_get_string_len(tree), 3);
    assert_memory_equal(json_object_get_string(tree), "a\0b", 3);
    (void)json_object_put(tree);
}

struct seen {
    char text[500];
};

static void see_key(void *arg, size_t depth, const char *key, size_t line)
{
    struct seen *seen = arg;
    size_t used = strlen(seen->text);

    (void)snprintf(seen->text + used, sizeof(seen->text) - used, "%zu:%s@%zu ", depth, key, line);
}

static void keys_are_told_with_depth_and_line(void **state)
{
    static const char yaml[] = "a: 1\nb:\n  - c: &x {d: 1}\n\n  - 'e': *x\n? 7\n: {<<: *x, f: 2}\n";
    struct json_object *tree = NULL;
    struct seen seen = {""};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(yml_parse_keys(yaml, strlen(yaml), see_key, &seen, &tree, &err), 0);
    assert_string_equal(seen.text, "1:a@1 1:b@2 3:c@3 4:d@3 3:e@5 1:7@6 2:f@7 ");
    (void)json_object_put(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_booleans_and_null_as_in_yaml_1_1),
        cmocka_unit_test(test_numbers_are_read_in_every_base_of_yaml_1_1),
        cmocka_unit_test(test_quoted_and_tagged_scalars_keep_their_type),
        cmocka_unit_test(test_keys_become_texts_and_the_last_of_two_counts),
        cmocka_unit_test(test_aliases_copy_and_merge_keys_fill_in),
        cmocka_unit_test(test_an_empty_document_is_null),
        cmocka_unit_test(test_errors_name_line_and_column),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_aliases_cannot_nest_beyond_the_limit),
        cmocka_unit_test(test_a_document_that_explodes_by_its_aliases_is_refused),
        cmocka_unit_test(test_a_long_plain_scalar_is_a_text),
        cmocka_unit_test(test_too_long_a_document_is_refused),
        cmocka_unit_test(test_a_zero_byte_inside_a_value_survives),
        cmocka_unit_test(keys_are_told_with_depth_and_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
