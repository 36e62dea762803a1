/* SPDX-License-Identifier: GPL-3.0-or-later
 * load PLAN WARM_MS MEASURE_MS: asks as the plan says (plan.h) and tells what came of it as JSON.
 * A line on standard input releases the groups that are held; the next one ends it early. */
#include "tests/bench/load/run.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#define TIME_MAX_MS ((int64_t)3600 * 1000)

/* Every client is a file. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* or else connecting says so */
}

static int run_plan(const char *path, int64_t warm_ms, int64_t measure_ms, struct err *err)
{
    struct plan plan = {.content = NULL};
    struct run run = {.epoll_fd = -1, .warm_us = warm_ms * 1000, .measure_us = measure_ms * 1000};
    int rc = plan_load(&plan, path, err);

    if (rc == 0)
        rc = run_init(&run, &plan, err);
    if (rc == 0)
        rc = run_all(&run, err);
    if (rc == 0)
        report_print(&run);
    run_done(&run);
    plan_done(&plan);
    return rc;
}

int main(int argc, char *argv[])
{
    struct err err = ERR_INIT;
    int64_t warm_ms, measure_ms;

    (void)signal(SIGPIPE, SIG_IGN);
    if (argc != 4) {
        (void)fprintf(stderr, "usage: load PLAN WARM_MS MEASURE_MS\n");
        return 2;
    }
    raise_file_limit();
    if (parse_int64(argv[2], 0, TIME_MAX_MS, &warm_ms, &err) < 0 ||
        parse_int64(argv[3], 1, TIME_MAX_MS, &measure_ms, &err) < 0 ||
        run_plan(argv[1], warm_ms, measure_ms, &err) < 0) {
        (void)fprintf(stderr, "load: %s\n", err.text);
        return 1;
    }
    return 0;
}
