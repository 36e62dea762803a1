/* SPDX-License-Identifier: GPL-3.0-or-later
 * What was seen, as one JSON object.  Names come from the plan and need no escape. */
#include "tests/bench/load/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

static void print_times(const struct histogram *h)
{
    static const struct {
        const char *name;
        double part;
    } parts[] = {{"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"p999_us", 0.999}};

    printf("\"count\": %" PRIu64 ", \"max_us\": %" PRIu64 ", \"mean_us\": %" PRIu64, h->count,
           h->max_us, h->count ? h->sum_us / h->count : 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        printf(", \"%s\": %" PRIu64, parts[i].name, histogram_quantile(h, parts[i].part));
}

static void print_step(const struct step_run *seen)
{
    const char *comma = "";

    printf("\"%s\": {", seen->step->name);
    print_times(&seen->times);
    printf(", \"bytes_in\": %" PRIu64 ", \"bytes_out\": %" PRIu64 ", \"statuses\": {",
           seen->bytes_in, seen->bytes_out);
    for (int status = 0; status < STATUS_MAX; status++)
        if (seen->statuses[status] > 0) {
            printf("%s\"%d\": %" PRIu32, comma, status, seen->statuses[status]);
            comma = ", ";
        }
    printf("}}");
}

static void print_group(const struct group_run *group)
{
    printf("\"%s\": {\"rounds\": %" PRIu64 ", \"all_rounds\": %" PRId64 ", \"broken\": %" PRIu64
           ", \"steps\": {",
           group->group->name, group->rounds, group->ended, group->broken);
    for (size_t i = 0; i < group->group->step_count; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_step(&group->steps[i]);
    }
    printf("}}");
}

void report_print(const struct run *run)
{
    const struct marks *marks = &run->marks;
    struct rusage usage = {.ru_maxrss = 0};

    (void)getrusage(RUSAGE_SELF, &usage);
    printf("{\"seconds\": %.6f, \"cpu_s\": %.3f, \"groups\": {",
           (double)(run->ended_us - run->warmed_us) / 1e6,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    for (size_t i = 0; i < run->plan->group_count; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_group(&run->groups[i]);
    }
    printf(
        "}, \"marked\": %zu, \"met\": %zu, \"twice\": %zu, \"unknown\": %zu, \"span_us\": %" PRId64
        ", \"delivery\": {",
        marks->count, marks->met, marks->twice, marks->unknown, marks->last_us - marks->first_us);
    print_times(&run->delivery);
    printf("}}\n");
}
