/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/crypto/seal.h"

#include "common/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OLD   "old AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
#define NEW   "new-2.0 //79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=\n"
#define VALUE "open sesame"

static const struct seal_name mine = {"client", "team/key"};

/* NULL and *err set if the text makes no keys. */
static struct seal_keys *keys_of(const char *text, struct err *err)
{
    char path[] = "/tmp/test_seal.XXXXXX";
    int fd = mkstemp(path);
    struct seal_keys *keys;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    keys = seal_keys_read(path, err);
    assert_int_equal(unlink(path), 0);
    return keys;
}

static struct seal_keys *good_keys(const char *text)
{
    struct err err = ERR_INIT;
    struct seal_keys *keys = keys_of(text, &err);

    if (!keys)
        fail_msg("%s", err.text);
    return keys;
}

static void seal(const struct seal_keys *keys, struct sealed *sealed)
{
    assert_int_equal(seal_value(keys, &mine, VALUE, strlen(VALUE), sealed, NULL), 0);
}

static void assert_opens(const struct seal_keys *keys, const struct sealed *sealed)
{
    struct buf value = BUF_INIT(1000);
    struct err err = ERR_INIT;

    if (seal_open(keys, &mine, sealed, &value, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&value), VALUE);
    assert_int_equal(value.len, strlen(VALUE));
    buf_done(&value);
}

static void assert_stays_shut(const struct seal_keys *keys, const struct seal_name *name,
                              const struct sealed *sealed, enum err_code code)
{
    struct buf value = BUF_INIT(1000);
    struct err err = ERR_INIT;

    assert_int_equal(seal_open(keys, name, sealed, &value, &err), -1);
    assert_int_equal(err.code, code);
    assert_null(strstr(err.text, VALUE));
    assert_int_equal(value.len, 0);
    buf_done(&value);
}

static void test_what_was_sealed_opens_and_does_not_show(void **state)
{
    struct seal_keys *keys = good_keys(OLD);
    struct sealed sealed = SEALED_INIT;

    (void)state;
    seal(keys, &sealed);
    assert_string_equal(sealed.key_id, "old");
    assert_int_equal(sealed.value.len, strlen(VALUE) + 40);
    assert_null(memmem(buf_text(&sealed.value), sealed.value.len, VALUE, strlen(VALUE)));
    assert_opens(keys, &sealed);
    sealed_done(&sealed);
    seal_keys_free(keys);
}

static void test_the_same_value_never_looks_the_same(void **state)
{
    struct seal_keys *keys = good_keys(OLD);
    struct sealed first = SEALED_INIT, second = SEALED_INIT;

    (void)state;
    seal(keys, &first);
    seal(keys, &second);
    assert_memory_not_equal(first.data_key, second.data_key, SEAL_DATA_KEY_SIZE);
    assert_memory_not_equal(first.value.data, second.value.data, first.value.len);
    sealed_done(&first);
    sealed_done(&second);
    seal_keys_free(keys);
}

static void test_every_changed_bit_is_noticed(void **state)
{
    struct seal_keys *keys = good_keys(OLD);
    struct sealed sealed = SEALED_INIT;

    (void)state;
    seal(keys, &sealed);
    for (size_t i = 0; i < sealed.value.len; i++) {
        sealed.value.data[i] = (char)(sealed.value.data[i] ^ 1);
        assert_stays_shut(keys, &mine, &sealed, ERR_INVALID);
        sealed.value.data[i] = (char)(sealed.value.data[i] ^ 1);
    }
    for (size_t i = 0; i < SEAL_DATA_KEY_SIZE; i++) {
        sealed.data_key[i] ^= 0x80;
        assert_stays_shut(keys, &mine, &sealed, ERR_INVALID);
        sealed.data_key[i] ^= 0x80;
    }
    assert_opens(keys, &sealed);
    while (sealed.value.len > 0) {
        buf_cut(&sealed.value, sealed.value.len - 1);
        assert_stays_shut(keys, &mine, &sealed, ERR_INVALID);
    }
    sealed_done(&sealed);
    seal_keys_free(keys);
}

static void test_it_opens_under_its_own_name_only(void **state)
{
    static const struct seal_name others[] = {
        {"client", "team/key2"}, {"client", "team/ke"},  {"clientt", "eam/key"},
        {"clien", "tteam/key"},  {"", "clientteam/key"}, {"other", "team/key"},
    };
    struct seal_keys *keys = good_keys(OLD);
    struct sealed sealed = SEALED_INIT;

    (void)state;
    seal(keys, &sealed);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_stays_shut(keys, &others[i], &sealed, ERR_INVALID);
        assert_int_equal(seal_rewrap(keys, &others[i], &sealed, NULL), -1);
    }
    assert_opens(keys, &sealed);
    sealed_done(&sealed);
    seal_keys_free(keys);
}

static void test_another_key_does_not_open_it(void **state)
{
    struct seal_keys *old = good_keys(OLD), *new = good_keys(NEW);
    struct seal_keys *same_id = good_keys("old //79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=");
    struct sealed sealed = SEALED_INIT;

    (void)state;
    seal(old, &sealed);
    assert_stays_shut(new, &mine, &sealed, ERR_NOT_FOUND);
    assert_stays_shut(same_id, &mine, &sealed, ERR_INVALID);
    sealed_done(&sealed);
    seal_keys_free(old);
    seal_keys_free(new);
    seal_keys_free(same_id);
}

static void test_keys_are_changed_without_touching_the_value(void **state)
{
    struct seal_keys *old = good_keys(OLD), *new = good_keys(NEW), *both = good_keys(NEW OLD);
    struct sealed sealed = SEALED_INIT;
    char before[100];

    (void)state;
    assert_string_equal(seal_keys_newest(both), "new-2.0");
    seal(old, &sealed);
    memcpy(before, sealed.value.data, sealed.value.len);
    assert_opens(both, &sealed);
    assert_int_equal(seal_rewrap(new, &mine, &sealed, NULL), -1);
    assert_opens(old, &sealed);
    assert_int_equal(seal_rewrap(both, &mine, &sealed, NULL), 0);
    assert_string_equal(sealed.key_id, "new-2.0");
    assert_memory_equal(before, sealed.value.data, sealed.value.len);
    assert_opens(new, &sealed);
    assert_stays_shut(old, &mine, &sealed, ERR_NOT_FOUND);
    assert_int_equal(seal_rewrap(both, &mine, &sealed, NULL), 0);
    assert_opens(new, &sealed);
    sealed_done(&sealed);
    seal_keys_free(old);
    seal_keys_free(new);
    seal_keys_free(both);
}

static void test_values_are_bounded(void **state)
{
    static char value[SEAL_VALUE_MAX + 1];
    struct seal_keys *keys = good_keys(OLD);
    struct sealed sealed = SEALED_INIT, none = SEALED_INIT;
    struct buf opened = BUF_INIT(SEAL_SEALED_MAX);
    struct err err = ERR_INIT;

    (void)state;
    memset(value, 'x', sizeof(value));
    assert_int_equal(seal_value(keys, &mine, value, SEAL_VALUE_MAX, &sealed, NULL), 0);
    assert_int_equal(seal_open(keys, &mine, &sealed, &opened, NULL), 0);
    assert_int_equal(opened.len, SEAL_VALUE_MAX);
    assert_memory_equal(opened.data, value, SEAL_VALUE_MAX);
    assert_int_equal(seal_value(keys, &mine, value, SEAL_VALUE_MAX + 1, &none, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    buf_done(&opened);
    sealed_done(&sealed);
    sealed_done(&none);
    seal_keys_free(keys);
}

static void test_a_key_file_may_have_comments_and_blanks(void **state)
{
    static const char *const files[] = {
        "# made in spring\n\n" NEW "\r\n  \t" OLD,
        "new-2.0\t//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA= \r\n# that was it",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct seal_keys *keys = good_keys(files[i]);

        assert_string_equal(seal_keys_newest(keys), "new-2.0");
        seal_keys_free(keys);
    }
}

/* Whatever is wrong with it, the error shows nothing of a key. */
static void test_a_malformed_key_file_is_refused(void **state)
{
    static const char *const files[] = {
        "",
        "# nothing\n",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "old\n",
        "old \n",
        "old AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n",
        "old AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gAA==\n",
        "old AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= more\n",
        "old !!ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "o/d AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        OLD OLD,
        "0123456789012345678901234567890123456789012345678901234567890123456789 "
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct err err = ERR_INIT;

        if (keys_of(files[i], &err))
            fail_msg("file %zu makes keys", i);
        assert_int_equal(err.code, ERR_INVALID);
        assert_null(strstr(err.text, "ECAwQFBgcICQoLDA0ODxAREhMUFR"));
    }
}

static void test_there_are_at_most_sixteen_keys(void **state)
{
    struct buf text = BUF_INIT(10000);
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < SEAL_KEYS_MAX; i++)
        (void)buf_addf(&text, "k%d AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", i);
    seal_keys_free(good_keys(buf_text(&text)));
    (void)buf_adds(&text, OLD);
    assert_null(keys_of(buf_text(&text), &err));
    assert_int_equal(err.code, ERR_INVALID);
    buf_done(&text);
    assert_null(seal_keys_read("/nonexistent/keys", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sealed_opens_and_does_not_show),
        cmocka_unit_test(test_the_same_value_never_looks_the_same),
        cmocka_unit_test(test_every_changed_bit_is_noticed),
        cmocka_unit_test(test_it_opens_under_its_own_name_only),
        cmocka_unit_test(test_another_key_does_not_open_it),
        cmocka_unit_test(test_keys_are_changed_without_touching_the_value),
        cmocka_unit_test(test_values_are_bounded),
        cmocka_unit_test(test_a_key_file_may_have_comments_and_blanks),
        cmocka_unit_test(test_a_malformed_key_file_is_refused),
        cmocka_unit_test(test_there_are_at_most_sixteen_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
