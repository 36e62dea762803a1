/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/handlers/claim.h"

#include "server/crypto/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int make_keys(void **state)
{
    static const char text[] = "k AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    char path[] = "/tmp/test_claim_secrets.XXXXXX";
    int fd = mkstemp(path);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) < 0)
        return -1;
    *state = seal_keys_read(path, NULL);
    return unlink(path) == 0 && *state ? 0 : -1;
}

static int free_keys(void **state)
{
    seal_keys_free(*state);
    return 0;
}

static void add_base64(struct buf *b, const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;
    unsigned bits = 0;
    int count = 0;

    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | bytes[i]) & 0xFFFF;
        for (count += 8; count >= 6; count -= 6)
            (void)buf_addc(b, digits[bits >> (count - 6) & 63]);
    }
    if (count > 0)
        (void)buf_addc(b, digits[bits << (6 - count) & 63]);
}

/* One item of the list that the database sends, sealed for client "c" under this path. */
static void add_item(const struct seal_keys *keys, struct buf *list, int number, const char *path,
                     const char *value)
{
    const struct seal_name name = {"c", path};
    struct sealed sealed = SEALED_INIT;

    assert_int_equal(seal_value(keys, &name, value, strlen(value), &sealed, NULL), 0);
    (void)buf_addf(list, "%s{\"number\":%d,\"key_id\":\"k\",\"data_key\":\"", list->len ? "," : "[",
                   number);
    add_base64(list, sealed.data_key, SEAL_DATA_KEY_SIZE);
    (void)buf_adds(list, "\",\"value\":\"");
    add_base64(list, sealed.value.data, sealed.value.len);
    (void)buf_adds(list, "\"}");
    sealed_done(&sealed);
}

static void assert_claim(const struct seal_keys *keys, const struct buf *sealed, const char *job,
                         const char *want)
{
    struct buf body = BUF_INIT(10000);
    struct err err = ERR_INIT;

    assert_int_equal(buf_adds(&body, job), 0);
    if (claim_open_secrets(keys, sealed, &body, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&body), want);
    buf_done(&body);
}

#define JOB(secrets)                                                                               \
    "{\"x\":1.50,\"test_data\":{\"a\":\"\\u0000\",\"secrets\":{" secrets                           \
    "},\"z\":[]},\"client_id\":\"c\",\"job_id\":\"j\"}"

static void test_paths_become_values_and_the_rest_stays_as_it_is(void **state)
{
    struct buf list = BUF_INIT(10000);

    add_item(*state, &list, 0, "p/a", "alpha");
    add_item(*state, &list, 2, "p/a", "line\n\"two\" \xE2\x98\x83");
    (void)buf_addc(&list, ']');
    assert_claim(
        *state, &list, JOB("\"B\":\"p/a\",\"A\":\"p/b\",\"C\":\"p/a\",\"D\":\"p/d\""),
        JOB("\"B\":\"alpha\",\"A\":\"\",\"C\":\"line\\n\\\"two\\\" \xE2\x98\x83\",\"D\":\"\""));
    buf_done(&list);
}

static void test_what_cannot_be_opened_is_empty(void **state)
{
    struct buf list = BUF_INIT(10000);

    add_item(*state, &list, 0, "another/path", "alpha");
    add_item(*state, &list, 1, "p/b", "beta");
    (void)buf_adds(&list, ",{\"number\":2,\"key_id\":\"gone\",\"data_key\":\"AAAA\",\"value\":\"\"}"
                          ",{\"number\":3},{\"number\":4,\"key_id\":5}]");
    assert_claim(*state, &list,
                 JOB("\"A\":\"p/a\",\"B\":\"p/b\",\"C\":\"c\",\"D\":\"d\",\"E\":\"e\""),
                 JOB("\"A\":\"\",\"B\":\"beta\",\"C\":\"\",\"D\":\"\",\"E\":\"\""));
    assert_claim(NULL, &list, JOB("\"A\":\"p/a\",\"B\":\"p/b\""), JOB("\"A\":\"\",\"B\":\"\""));
    buf_done(&list);
}

static void test_no_secret_that_can_be_read(void **state)
{
    struct buf list = BUF_INIT(10);

    (void)buf_adds(&list, "[]");
    assert_claim(*state, &list, JOB("\"A\":\"p/a\""), JOB("\"A\":\"\""));
    buf_done(&list);
}

static void test_nonsense_is_an_error_and_leaves_the_body(void **state)
{
    static const char *const jobs[] = {"{}", "[]", "", "{\"test_data\":{\"secrets\":[]}}"};
    struct buf list = BUF_INIT(10);

    (void)buf_adds(&list, "[]");
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        struct buf body = BUF_INIT(1000);
        struct err err = ERR_INIT;

        (void)buf_adds(&body, jobs[i]);
        assert_int_equal(claim_open_secrets(*state, &list, &body, &err), -1);
        assert_int_equal(err.code, ERR_INTERNAL);
        buf_done(&body);
    }
    buf_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_become_values_and_the_rest_stays_as_it_is),
        cmocka_unit_test(test_what_cannot_be_opened_is_empty),
        cmocka_unit_test(test_no_secret_that_can_be_read),
        cmocka_unit_test(test_nonsense_is_an_error_and_leaves_the_body),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
