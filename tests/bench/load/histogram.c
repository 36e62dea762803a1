/* SPDX-License-Identifier: GPL-3.0-or-later
 * 64 buckets for each power of two. */
#include "tests/bench/load/histogram.h"

#define BITS   6
#define FIRST  (1 << BITS)
#define MAX_US ((UINT64_C(1) << 36) - 1)

static unsigned bucket_of(uint64_t us)
{
    unsigned shift;

    if (us < FIRST)
        return (unsigned)us;
    shift = 63 - (unsigned)__builtin_clzll(us) - BITS;
    return (shift << BITS) + (unsigned)(us >> shift);
}

/* The middle of a bucket. */
static uint64_t value_of(unsigned bucket)
{
    unsigned shift;

    if (bucket < 2 * FIRST)
        return bucket;
    shift = (bucket >> BITS) - 1;
    return ((uint64_t)(bucket - (shift << BITS)) << shift) + ((UINT64_C(1) << shift) >> 1);
}

void histogram_add(struct histogram *h, int64_t us)
{
    uint64_t value = us < 0 ? 0 : (uint64_t)us;

    if (value > MAX_US)
        value = MAX_US;
    h->count++;
    h->sum_us += value;
    if (value > h->max_us)
        h->max_us = value;
    h->buckets[bucket_of(value)]++;
}

uint64_t histogram_quantile(const struct histogram *h, double part)
{
    uint64_t rank = (uint64_t)(part * (double)h->count);
    uint64_t seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > rank)
            return value_of(i);
    }
    return h->max_us;
}
