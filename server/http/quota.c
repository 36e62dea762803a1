/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counters in buckets, one for each client that has something waiting. */
#include "server/http/quota.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#define BUCKETS   ((size_t)1024) /* a power of two */
#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

struct holder {
    LIST_ENTRY(holder) link;
    uint64_t who;
    int64_t count;
};

struct quota {
    pthread_mutex_t lock; /* guards the buckets */
    int64_t max;
    LIST_HEAD(, holder) buckets[BUCKETS];
};

struct quota *quota_new(int64_t max, struct err *err)
{
    struct quota *quota = calloc(1, sizeof(*quota));

    if (!quota) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    (void)pthread_mutex_init(&quota->lock, NULL);
    quota->max = max;
    return quota;
}

void quota_free(struct quota *quota)
{
    if (!quota)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        assert(LIST_EMPTY(&quota->buckets[i]));
    (void)pthread_mutex_destroy(&quota->lock);
    free(quota);
}

/* With the U+0000 at its end, which no name contains. */
static uint64_t add(uint64_t hash, const char *name)
{
    do
        hash = (hash ^ (unsigned char)*name) * FNV_PRIME;
    while (*name++);
    return hash;
}

uint64_t quota_who(const char *name, const char *below)
{
    uint64_t hash = add(FNV_START, name);

    if (below)
        hash = add(hash, below);
    return hash ? hash : 1;
}

/* With the lock held. */
static struct holder *find(struct quota *quota, uint64_t who)
{
    struct holder *holder;

    LIST_FOREACH(holder, &quota->buckets[who & (BUCKETS - 1)], link)
    {
        if (holder->who == who)
            return holder;
    }
    return NULL;
}

static struct holder *find_or_add(struct quota *quota, uint64_t who)
{
    struct holder *holder = find(quota, who);

    if (holder)
        return holder;
    holder = calloc(1, sizeof(*holder));
    if (!holder)
        return NULL;
    holder->who = who;
    LIST_INSERT_HEAD(&quota->buckets[who & (BUCKETS - 1)], holder, link);
    return holder;
}

int quota_take(struct quota *quota, uint64_t who, struct err *err)
{
    struct holder *holder;
    int rc = 0;

    if (!quota)
        return 0;
    (void)pthread_mutex_lock(&quota->lock);
    holder = find_or_add(quota, who);
    if (!holder)
        rc = err_set(err, ERR_INTERNAL, "out of memory");
    else if (holder->count >= quota->max)
        rc = err_set(err, ERR_TOO_MANY, "%lld requests of this client are waiting already",
                     (long long)quota->max);
    else
        holder->count++;
    (void)pthread_mutex_unlock(&quota->lock);
    return rc;
}

void quota_give(struct quota *quota, uint64_t who)
{
    struct holder *holder;

    if (!quota)
        return;
    (void)pthread_mutex_lock(&quota->lock);
    holder = find(quota, who);
    assert(holder);
    if (--holder->count == 0) {
        LIST_REMOVE(holder, link);
        free(holder);
    }
    (void)pthread_mutex_unlock(&quota->lock);
}
