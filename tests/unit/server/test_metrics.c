/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct metrics_route route_of(size_t route)
{
    return (struct metrics_route){"GET", route == 0 ? "/a" : "/b/{id}"};
}

static void assert_line(const char *text, const char *line)
{
    const char *found = strstr(text, line);

    if (!found || (found != text && found[-1] != '\n') || found[strlen(line)] != '\n')
        fail_msg("no line \"%s\"", line);
}

static void test_requests_are_counted_by_route_and_status(void **state)
{
    struct metrics *m = metrics_new(2, &clock_system, NULL);
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    metrics_request(m, 0, 200, 700);
    metrics_request(m, 0, 200, 3000000);
    metrics_request(m, 0, 418, 100);
    metrics_request(m, 2, 404, 20000000);
    metrics_write(m, route_of, &out);
    assert_line(out.data,
                "testflinger_http_requests_total{method=\"GET\",route=\"/a\",status=\"200\"} 2");
    assert_line(out.data,
                "testflinger_http_requests_total{method=\"GET\",route=\"/a\",status=\"other\"} 1");
    assert_line(out.data,
                "testflinger_http_requests_total{method=\"any\",route=\"none\",status=\"404\"} 1");
    assert_line(out.data, "testflinger_http_request_seconds_bucket{method=\"GET\",route=\"/a\","
                          "le=\"0.0005\"} 1");
    assert_line(
        out.data,
        "testflinger_http_request_seconds_bucket{method=\"GET\",route=\"/a\",le=\"0.001\"} 2");
    assert_line(
        out.data,
        "testflinger_http_request_seconds_bucket{method=\"GET\",route=\"/a\",le=\"+Inf\"} 3");
    assert_line(out.data, "testflinger_http_request_seconds_count{method=\"GET\",route=\"/a\"} 3");
    assert_line(out.data,
                "testflinger_http_request_seconds_sum{method=\"GET\",route=\"/a\"} 3.000800");
    assert_null(strstr(out.data, "/b/{id}"));
    buf_done(&out);
    metrics_free(m);
}

static void test_series_have_one_head_each(void **state)
{
    struct metrics *m = metrics_new(0, &clock_system, NULL);
    struct buf out = BUF_INIT(1 << 20);
    const char *head;

    (void)state;
    metrics_set(m, METRIC_POOL_SIZE_SLOW, 2);
    metrics_add(m, METRIC_CONNECTIONS, 5);
    metrics_add(m, METRIC_CONNECTIONS, -1);
    metrics_add(m, METRIC_TASK_TIME_REAP_LEASES, 1002000);
    metrics_write(m, route_of, &out);
    assert_line(out.data, "testflinger_task_seconds_total{task=\"reap_leases\"} 1.002000");
    assert_line(out.data, "testflinger_task_runs_total{task=\"sweep_files\"} 0");
    assert_line(out.data, "testflinger_pool_size{lane=\"slow\"} 2");
    assert_line(out.data, "testflinger_http_connections 4");
    head = strstr(out.data, "# TYPE testflinger_pool_size gauge\n");
    assert_non_null(head);
    assert_null(strstr(head + 1, "# TYPE testflinger_pool_size "));
    buf_done(&out);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_counted_by_route_and_status),
        cmocka_unit_test(test_series_have_one_head_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
