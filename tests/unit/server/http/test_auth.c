/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/auth.h"
#include "server/routes.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct test_clock {
    struct clock clock; /* first */
    int64_t us;
};

static int64_t test_us(const struct clock *clock)
{
    return ((const struct test_clock *)clock)->us;
}

struct fixture {
    struct test_clock clock;
    struct token_keys *keys;
    struct auth *auth;
    struct caller caller;
    struct err err;
};

static int setup(void **state)
{
    static const char *const list[] = {"the-signing-key-of-the-tests-0123456789"};
    struct fixture *f = calloc(1, sizeof(*f));

    f->clock.clock.realtime_us = test_us;
    f->clock.us = INT64_C(1700000000) * 1000000;
    f->keys = token_keys_new(list, 1, NULL);
    f->auth = auth_new(f->keys, 5, &f->clock.clock, NULL);
    *state = f;
    return f->keys && f->auth ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    auth_release(&f->caller);
    auth_free(f->auth);
    token_keys_free(f->keys);
    free(f);
    return 0;
}

static enum err_code ask(struct fixture *f, const char *header, unsigned roles)
{
    auth_release(&f->caller);
    f->err = (struct err)ERR_INIT;
    (void)auth_check(f->auth, header, roles, &f->caller, &f->err);
    return f->err.code;
}

static enum err_code ask_token(struct fixture *f, const char *permissions, unsigned roles)
{
    char header[2000];
    char *token = NULL;

    assert_int_equal(token_make(f->keys, permissions, f->clock.us / 1000000, 600, &token, NULL), 0);
    (void)snprintf(header, sizeof(header), "Bearer %s", token);
    free(token);
    return ask(f, header, roles);
}

static void test_nobody_is_an_anonymous_contributor(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, NULL, MAY_USE), ERR_NONE);
    assert_int_equal(f->caller.role, ROLE_CONTRIBUTOR);
    assert_false(f->caller.authenticated);
    assert_null(f->caller.client_id);
    assert_int_equal(ask(f, "", MAY_USE), ERR_NONE);
    assert_int_equal(ask(f, NULL, MAY_AGENT), ERR_FORBIDDEN);
}

static void test_another_scheme_has_no_role(void **state)
{
    static const char *const headers[] = {"Basic eDp5", "bearer x", "Bearer", "Bearer ", "BearerX"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        assert_int_equal(ask(f, headers[i], MAY_ANY), ERR_FORBIDDEN);
        assert_int_equal(f->caller.role, ROLE_NONE);
    }
}

static void test_public_routes_do_not_look(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "Bearer nonsense", MAY_PUBLIC), ERR_NONE);
    assert_false(f->caller.authenticated);
}

static void test_a_token_tells_client_role_and_limits(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask_token(f, "{\"client_id\":\"x\",\"role\":\"Manager\"}", MAY_MANAGE),
                     ERR_NONE);
    assert_true(f->caller.authenticated);
    assert_string_equal(f->caller.client_id, "x");
    assert_int_equal(f->caller.role, ROLE_MANAGER);
    assert_non_null(f->caller.permissions);
}

static void test_a_token_without_role_is_a_contributors(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask_token(f, "{\"client_id\":\"x\"}", MAY_USE), ERR_NONE);
    assert_int_equal(f->caller.role, ROLE_CONTRIBUTOR);
    assert_int_equal(ask_token(f, "{\"client_id\":\"x\",\"role\":null}", MAY_USE), ERR_NONE);
    assert_int_equal(ask_token(f, "{\"client_id\":\"x\"}", MAY_MANAGE), ERR_FORBIDDEN);
    assert_string_equal(f->err.text, "only for the roles admin, manager");
    assert_string_equal(f->caller.client_id, "x"); /* for the logs */
}

static void test_malformed_permissions_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"client_id\":\"\"}",
        "{\"client_id\":5}",
        "{\"client_id\":\"x\",\"role\":\"king\"}",
        "{\"client_id\":\"x\",\"role\":\"a role that is far too long\"}",
        "{\"client_id\":\"x\",\"role\":7}",
        "{\"client_id\":\"x\",\"max_priority\":[]}",
        "{\"client_id\":\"x\",\"max_priority\":{\"q\":\"high\"}}",
        "{\"client_id\":\"x\",\"max_reservation_time\":{\"q\":1.5}}",
        "{\"client_id\":\"x\",\"allowed_queues\":{}}",
        "{\"client_id\":\"x\",\"allowed_queues\":[1]}",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(ask_token(f, bad[i], MAY_ANY), ERR_FORBIDDEN);
}

static void test_a_remembered_token_still_expires(void **state)
{
    struct fixture *f = *state;
    char header[2000];
    char *token = NULL;

    assert_int_equal(
        token_make(f->keys, "{\"client_id\":\"x\"}", f->clock.us / 1000000, 600, &token, NULL), 0);
    (void)snprintf(header, sizeof(header), "Bearer %s", token);
    free(token);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(f, header, MAY_USE), ERR_NONE);
    f->clock.us += INT64_C(604) * 1000000;
    assert_int_equal(ask(f, header, MAY_USE), ERR_NONE);
    f->clock.us += 1000000;
    assert_int_equal(ask(f, header, MAY_USE), ERR_UNAUTHORIZED);
    assert_null(f->caller.client_id);
}

/* So many that hardly any place in the cache still has what it had. */
static void test_a_request_keeps_what_its_token_said(void **state)
{
    struct fixture *f = *state;
    struct caller first;
    char permissions[100];

    assert_int_equal(ask_token(f, "{\"client_id\":\"first\"}", MAY_USE), ERR_NONE);
    first = f->caller;
    f->caller = (struct caller){.role = ROLE_NONE};
    for (int i = 0; i < 30000; i++) {
        (void)snprintf(permissions, sizeof(permissions), "{\"client_id\":\"%d\"}", i);
        assert_int_equal(ask_token(f, permissions, MAY_USE), ERR_NONE);
        assert_string_equal(f->caller.client_id, json_object_get_string(json_object_object_get(
                                                     f->caller.permissions, "client_id")));
    }
    assert_string_equal(first.client_id, "first");
    assert_int_equal(json_object_object_length(first.permissions), 1);
    auth_release(&first);
    assert_null(first.client_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody_is_an_anonymous_contributor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_scheme_has_no_role, setup, teardown),
        cmocka_unit_test_setup_teardown(test_public_routes_do_not_look, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_token_tells_client_role_and_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_token_without_role_is_a_contributors, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_malformed_permissions_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_remembered_token_still_expires, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_request_keeps_what_its_token_said, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
