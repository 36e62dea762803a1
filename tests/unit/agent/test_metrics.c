/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int64_t at_ms(const struct clock *clock)
{
    (void)clock;
    return 5000;
}

static int64_t at_us(const struct clock *clock)
{
    (void)clock;
    return 1700000000 * INT64_C(1000000);
}

static const struct clock still = {at_ms, at_us};

static struct metrics *make(const char *id)
{
    const struct metrics_agent agent = {id, "rpi4", "1.2.3"};
    struct err err = ERR_INIT;
    struct metrics *m = metrics_new(&agent, &still, &err);

    assert_non_null(m);
    return m;
}

static void assert_has(const struct metrics *m, const char *line)
{
    const struct metrics_now now = {true, false, 12345, 3};
    struct buf text = BUF_INIT(METRICS_TEXT_MAX);

    metrics_write(m, &now, &text);
    assert_false(buf_failed(&text));
    if (!strstr(buf_text(&text), line))
        fail_msg("no \"%s\" in\n%s", line, buf_text(&text));
    buf_done(&text);
}

static void what_was_counted_is_written(void **state)
{
    struct metrics *m = make("a");

    (void)state;
    assert_has(m, "# TYPE jobs_total counter\njobs_total{agent_id=\"a\"} 0\n");
    metrics_count_job(m);
    metrics_count_job(m);
    metrics_count_failure(m, PHASE_TEST);
    metrics_count_recovery_failure(m);
    assert_has(m, "\njobs_total{agent_id=\"a\"} 2\n");
    assert_has(m, "\nfailures_total{agent_id=\"a\",test_phase=\"test\"} 1\n");
    assert_has(m, "\nfailures_total{agent_id=\"a\",test_phase=\"provision\"} 0\n");
    assert_has(m, "\nrecovery_failures_total{agent_id=\"a\"} 1\n");
    metrics_free(m);
}

static void durations_fall_into_buckets_that_add_up(void **state)
{
    struct metrics *m = make("a");

    (void)state;
    metrics_observe(m, PHASE_PROVISION, "22.04.5", 60000); /* at most: the bound belongs to it */
    metrics_observe(m, PHASE_PROVISION, "22.04.5", 60001);
    metrics_observe(m, PHASE_PROVISION, "22.04.5", 14400001);
    metrics_observe(m, PHASE_PROVISION, "Core 22", 1);
#define LABELS "{agent_id=\"a\",test_phase=\"provision\",identifier=\"rpi4\",release=\"22.04.5\""
    assert_has(m, "\nphase_duration_seconds_bucket" LABELS ",le=\"60\"} 1\n"
                  "phase_duration_seconds_bucket" LABELS ",le=\"120\"} 2\n"
                  "phase_duration_seconds_bucket" LABELS ",le=\"300\"} 2\n"
                  "phase_duration_seconds_bucket" LABELS ",le=\"600\"} 2\n"
                  "phase_duration_seconds_bucket" LABELS ",le=\"1800\"} 2\n"
                  "phase_duration_seconds_bucket" LABELS ",le=\"3600\"} 2\n"
                  "phase_duration_seconds_bucket" LABELS ",le=\"7200\"} 2\n"
                  "phase_duration_seconds_bucket" LABELS ",le=\"14400\"} 2\n"
                  "phase_duration_seconds_bucket" LABELS ",le=\"+Inf\"} 3\n"
                  "phase_duration_seconds_sum" LABELS "} 14520.002\n"
                  "phase_duration_seconds_count" LABELS "} 3\n");
    assert_has(m, "phase_duration_seconds_count{agent_id=\"a\",test_phase=\"provision\","
                  "identifier=\"rpi4\",release=\"Core 22\"} 1\n");
    metrics_free(m);
}

static void releases_without_end_are_counted_together(void **state)
{
    struct metrics *m = make("a");
    char release[] = "r00";

    (void)state;
    for (int i = 0; i < 99; i++) {
        release[1] = (char)('0' + i / 10);
        release[2] = (char)('0' + i % 10);
        metrics_observe(m, PHASE_TEST, release, 1000);
    }
    assert_has(m, "release=\"r31\"} 1\n");
    assert_has(m, "release=\"other\"} 67\n");
    metrics_free(m);
}

static void labels_are_escaped(void **state)
{
    struct metrics *m = make("a\"b\\c\nd\xff"
                             "e\xc3\xa9");

    (void)state;
    assert_has(m, "\njobs_total{agent_id=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD"
                  "e\xc3\xa9\"} 0\n");
    metrics_free(m);
}

static void what_an_operator_looks_at_is_there(void **state)
{
    struct metrics *m = make("a");

    (void)state;
    assert_has(m,
               "testflinger_agent_info{agent_id=\"a\",identifier=\"rpi4\",version=\"1.2.3\"} 1\n");
    assert_has(m, "\ntestflinger_agent_start_time_seconds{agent_id=\"a\"} 1700000000\n");
    assert_has(m, "\ntestflinger_agent_job_running{agent_id=\"a\"} 1\n");
    assert_has(m, "\ntestflinger_agent_out_of_service{agent_id=\"a\"} 0\n");
    assert_has(m, "\ntestflinger_agent_outcomes_waiting{agent_id=\"a\"} 3\n");
    assert_has(m, "\ntestflinger_agent_server_silence_seconds{agent_id=\"a\"} 12\n");
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_counted_is_written),
        cmocka_unit_test(durations_fall_into_buckets_that_add_up),
        cmocka_unit_test(releases_without_end_are_counted_together),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(what_an_operator_looks_at_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
