/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connector/qemu_boot.h"
#include "connector/qemu_vm.h"

#include "common/cleanup.h"
#include "common/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void the_port_is_that_of_the_forward(void **state)
{
    (void)state;
    assert_int_equal(
        qemu_parse_port("Hub -1 (net0):\r\n  Protocol[State]    FD  Source Address  Port\r\n"
                        "  TCP[ESTABLISHED]  14  127.0.0.1 5  10.0.2.15 22 0 0\r\n"
                        "  TCP[HOST_FORWARD]  15       127.0.0.1 36935       10.0.2.15    22\r\n"),
        36935);
    assert_int_equal(qemu_parse_port(""), -1);
    assert_int_equal(qemu_parse_port("TCP[HOST_FORWARD]"), -1);
    assert_int_equal(qemu_parse_port("TCP[HOST_FORWARD] 15 127.0.0.1 0 "), -1);
    assert_int_equal(qemu_parse_port("TCP[HOST_FORWARD] 15 127.0.0.1 99999 "), -1);
    assert_int_equal(qemu_parse_port("TCP[HOST_FORWARD] 15 * 22 "), -1);
}

static void check_tail(const char *console, const char *expected)
{
    char path[] = "/tmp/test_qemu_vm.XXXXXX";
    struct buf tail = BUF_INIT(10000);
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(fs_write_atomic(path, console, strlen(console), 0600, NULL), 0);
    qemu_boot_add_tail(path, &tail);
    assert_string_equal(buf_text(&tail), expected);
    buf_done(&tail);
    (void)unlink(path);
}

static void the_last_lines_of_a_console_are_plain_text(void **state)
{
    (void)state;
    check_tail("", "");
    check_tail("\r\n\r\n", "");
    check_tail("one", "one");
    check_tail("one\r\ntwo\r\n\n", "one\ntwo");
    check_tail("\x1b[0;31mred\x1b[0m \x1b[2J\x1b[01;01Hgreen\x1b"
               "c\a\n",
               "red green");
    check_tail("cut \x1b[0;3", "cut ");
    check_tail("cut \x1b", "cut ");
}

static void of_a_long_console_there_are_twelve_lines(void **state)
{
    struct buf console = BUF_INIT(100000), expected = BUF_INIT(1000);

    (void)state;
    for (int i = 1; i <= 1000; i++)
        (void)buf_addf(&console, "line %d\r\n", i);
    for (int i = 989; i <= 1000; i++)
        (void)buf_addf(&expected, "%sline %d", i > 989 ? "\n" : "", i);
    check_tail(buf_text(&console), buf_text(&expected));
    buf_done(&console);
    buf_done(&expected);
}

static void a_console_that_was_never_read_has_no_lines(void **state)
{
    AUTO(buf) struct buf tail = BUF_INIT(100);

    (void)state;
    qemu_boot_add_tail("/no/such/file", &tail);
    assert_int_equal(tail.len, 0);
}

static void a_pipe_in_place_of_the_console_s_log_is_not_waited_for(void **state)
{
    AUTO(buf) struct buf tail = BUF_INIT(100);
    char dir[] = "/tmp/test_qemu_vm.XXXXXX";
    char path[sizeof(dir) + 5];

    (void)state;
    (void)alarm(30);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/pipe", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    qemu_boot_add_tail(path, &tail);
    assert_int_equal(tail.len, 0);
    assert_int_equal(fs_remove_tree(dir, NULL), 0);
    (void)alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_port_is_that_of_the_forward),
        cmocka_unit_test(the_last_lines_of_a_console_are_plain_text),
        cmocka_unit_test(of_a_long_console_there_are_twelve_lines),
        cmocka_unit_test(a_console_that_was_never_read_has_no_lines),
        cmocka_unit_test(a_pipe_in_place_of_the_console_s_log_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
