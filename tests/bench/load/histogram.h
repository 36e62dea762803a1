/* SPDX-License-Identifier: GPL-3.0-or-later
 * How long things took, in microseconds, up to 19 hours, to one part in 64. */
#ifndef TESTS_BENCH_LOAD_HISTOGRAM_H
#define TESTS_BENCH_LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 2048

struct histogram {
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, int64_t us);
/* Below which this part of all lie (0 to 1); 0 if there are none. */
uint64_t histogram_quantile(const struct histogram *h, double part);

#endif
