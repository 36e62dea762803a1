/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_origin_of_a_url_has_scheme_host_and_port(void **state)
{
    static const char *const cases[][2] = {
        {"http://a.example", "http://a.example:80"},
        {"HTTPS://A.Example/x?y#z", "https://a.example:443"},
        {"http://127.0.0.1:5097/", "http://127.0.0.1:5097"},
        {"http://localhost:8080?a=b", "http://localhost:8080"},
        {"http://localhost:8080#@elsewhere.example/", "http://localhost:8080"},
        {"https://[::1]:8443/", "https://[::1]:8443"},
        {"https://[::1]", "https://[::1]:443"},
    };
    char origin[ADDRESS_ORIGIN_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(address_origin(cases[i][0], origin), 0);
        assert_string_equal(origin, cases[i][1]);
    }
}

static void what_could_lead_to_two_places_has_no_origin(void **state)
{
    static const char *const cases[] = {
        "",
        "http://",
        "ftp://a.example/",
        "a.example/",
        "http:/a.example",
        "http://user@a.example/",
        "http://user:secret@a.example/",
        "http://a.example@elsewhere.example/",
        "http://a.example\\@elsewhere.example/",
        "http://a.example:/",
        "http://a.example:080/",
        "http://a.example:123456/",
        "http://a.example:80:80/",
        "http://a.example:http/",
        "http:// a.example/",
        "http://a.example \t/",
    };
    char origin[ADDRESS_ORIGIN_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(address_origin(cases[i], origin), -1);
}

static void a_host_that_is_too_long_has_no_origin(void **state)
{
    char url[1200] = "http://a", origin[ADDRESS_ORIGIN_SIZE];

    (void)state;
    for (size_t at = strlen(url); at < 1000; at += 2)
        memcpy(url + at, ".a", 3);
    assert_int_equal(address_origin(url, origin), -1);
}

static void a_server_is_a_host_with_a_port_or_a_url(void **state)
{
    static const char *const good[] = {
        "h",           "testflinger:8000",        "http://testflinger:8000",
        "lab_1.local", "https://a.example/base/", "127.0.0.1:65535",
        "[::1]:8000",  "http://[fe80::1]",        "HTTP://a.example",
    };
    static const char *const bad[] = {
        "",
        ":8000",
        "http://",
        "ftp://a.example",
        "a.example:0",
        "a:65536",
        "a:80000",
        "a:port",
        "a:",
        "a b",
        "http://a?b",
        "http://user@a",
        "http://a#b",
        "-a",
        ".a",
        "a\\b",
        "http://a.example:80:80",
        "[::1",
        "a\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!address_is_server(good[i]))
            fail_msg("\"%s\" is refused", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (address_is_server(bad[i]))
            fail_msg("\"%s\" is taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_origin_of_a_url_has_scheme_host_and_port),
        cmocka_unit_test(what_could_lead_to_two_places_has_no_origin),
        cmocka_unit_test(a_host_that_is_too_long_has_no_origin),
        cmocka_unit_test(a_server_is_a_host_with_a_port_or_a_url),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
