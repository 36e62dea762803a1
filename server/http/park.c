/* SPDX-License-Identifier: GPL-3.0-or-later
 * The registry: keys in buckets, requests in a list by age and in lists by group, one lock.  Whom
 * to wake is decided with the lock held, in two steps, since who is first of a group must not
 * depend on who was taken out before; they are told when it is released. */
#include "server/http/park.h"

#include "server/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define BUCKETS ((size_t)4096) /* a power of two */

TAILQ_HEAD(parked_list, parked);

struct park_node {
    LIST_ENTRY(park_node) link;
    struct parked *one;
    struct park_key key;
};

struct bucket {
    LIST_HEAD(, park_node) nodes;
    uint64_t woken; /* when one of its keys was woken last */
};

struct park {
    pthread_mutex_t lock; /* guards what follows */
    uint64_t now;         /* counts wake-ups */
    uint64_t all_woken;   /* when everybody was woken last */
    uint64_t arrivals;
    bool closed;
    struct parked_list all; /* oldest first */
    struct parked_list groups[BUCKETS];
    struct bucket buckets[BUCKETS];
    struct metrics *metrics;
};

static size_t slot(uint64_t key)
{
    return (size_t)(key & (BUCKETS - 1));
}

struct park *park_new(struct metrics *metrics, struct err *err)
{
    struct park *park = calloc(1, sizeof(*park));

    if (!park) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    (void)pthread_mutex_init(&park->lock, NULL);
    TAILQ_INIT(&park->all);
    for (size_t i = 0; i < BUCKETS; i++)
        TAILQ_INIT(&park->groups[i]);
    park->metrics = metrics;
    return park;
}

void park_free(struct park *park)
{
    if (!park)
        return;
    assert(TAILQ_EMPTY(&park->all));
    (void)pthread_mutex_destroy(&park->lock);
    free(park);
}

static void enter(struct park *park)
{
    (void)pthread_mutex_lock(&park->lock);
}

static void leave(struct park *park)
{
    (void)pthread_mutex_unlock(&park->lock);
}

uint64_t park_mark(struct park *park)
{
    uint64_t mark;

    if (!park)
        return 0;
    enter(park);
    mark = park->now;
    leave(park);
    return mark;
}

static bool has_changed(const struct park *park, const struct park_key *keys, size_t count,
                        uint64_t mark)
{
    if (park->all_woken > mark)
        return true;
    for (size_t i = 0; i < count; i++)
        if (park->buckets[slot(keys[i].key)].woken > mark)
            return true;
    return false;
}

static void insert(struct park *park, struct parked *one)
{
    for (size_t i = 0; i < one->node_count; i++)
        LIST_INSERT_HEAD(&park->buckets[slot(one->nodes[i].key.key)].nodes, &one->nodes[i], link);
    TAILQ_INSERT_TAIL(&park->all, one, link);
    if (one->group)
        TAILQ_INSERT_TAIL(&park->groups[slot(one->group)], one, in_group);
    one->waiting = true;
    one->since = ++park->arrivals;
    metrics_add(park->metrics, METRIC_PARKED, 1);
}

static void take_out(struct park *park, struct parked *one)
{
    for (size_t i = 0; i < one->node_count; i++)
        LIST_REMOVE(&one->nodes[i], link);
    TAILQ_REMOVE(&park->all, one, link);
    if (one->group)
        TAILQ_REMOVE(&park->groups[slot(one->group)], one, in_group);
    free(one->nodes);
    one->nodes = NULL;
    one->node_count = 0;
    one->waiting = one->chosen = false;
    metrics_add(park->metrics, METRIC_PARKED, -1);
}

static struct park_node *make_nodes(struct parked *one, const struct park_key *keys, size_t count)
{
    struct park_node *nodes = calloc(count ? count : 1, sizeof(*nodes));

    for (size_t i = 0; nodes && i < count; i++) {
        nodes[i].one = one;
        nodes[i].key = keys[i];
    }
    return nodes;
}

enum park_answer park_add(struct park *park, struct parked *one, const struct park_key *keys,
                          size_t count, uint64_t mark)
{
    enum park_answer answer = PARK_WAITS;
    struct park_node *nodes = park && !one->over ? make_nodes(one, keys, count) : NULL;

    if (!nodes) {
        one->over = true;
        return PARK_OVER;
    }
    enter(park);
    if (one->gone && atomic_load(one->gone)) {
        answer = PARK_GONE;
    } else if (park->closed) {
        one->over = true;
        answer = PARK_OVER;
    } else if (has_changed(park, keys, count, mark)) {
        answer = PARK_CHANGED;
    } else {
        one->nodes = nodes;
        one->node_count = count;
        insert(park, one);
    }
    leave(park);
    /* one may be somebody else's by now */
    if (answer != PARK_WAITS)
        free(nodes);
    return answer;
}

bool park_leave(struct park *park, struct parked *one)
{
    bool waited;

    if (!park)
        return false;
    enter(park);
    waited = one->waiting;
    if (waited)
        take_out(park, one);
    leave(park);
    return waited;
}

static struct parked *first_of(const struct park *park, uint64_t group)
{
    struct parked *one;

    TAILQ_FOREACH(one, &park->groups[slot(group)], in_group)
    {
        if (one->group == group)
            return one;
    }
    return NULL;
}

static void choose(struct parked_list *woken, struct parked *one, uint64_t chain)
{
    if (one->chosen)
        return;
    one->chosen = true;
    one->chain = chain;
    TAILQ_INSERT_TAIL(woken, one, next_woken);
}

/* With the lock held, which is released. */
static void tell(struct park *park, struct parked_list *woken)
{
    struct parked *one;
    struct parked *next;

    TAILQ_FOREACH(one, woken, next_woken)
    {
        take_out(park, one);
    }
    leave(park);
    for (one = TAILQ_FIRST(woken); one; one = next) {
        next = TAILQ_NEXT(one, next_woken);
        one->woken(one);
    }
}

void park_wake(struct park *park, uint64_t key)
{
    struct parked_list woken = TAILQ_HEAD_INITIALIZER(woken);
    struct bucket *bucket = &park->buckets[slot(key)];
    struct park_node *node;

    enter(park);
    bucket->woken = ++park->now;
    LIST_FOREACH(node, &bucket->nodes, link)
    {
        if (node->key.key == key &&
            (!node->key.in_turn || node->one == first_of(park, node->one->group)))
            choose(&woken, node->one, park->arrivals);
    }
    tell(park, &woken);
}

void park_wake_all(struct park *park)
{
    struct parked_list woken = TAILQ_HEAD_INITIALIZER(woken);
    struct parked *one;

    enter(park);
    park->all_woken = ++park->now;
    TAILQ_FOREACH(one, &park->all, link)
    {
        choose(&woken, one, 0);
    }
    tell(park, &woken);
}

void park_pass(struct park *park, uint64_t group, uint64_t chain)
{
    struct parked_list woken = TAILQ_HEAD_INITIALIZER(woken);
    struct parked *one;

    if (!park || !group)
        return;
    enter(park);
    one = first_of(park, group);
    if (one && one->since <= chain)
        choose(&woken, one, chain);
    tell(park, &woken);
}

/* Who is first when this one is gone. */
static struct parked *next_of_group(struct parked *one)
{
    struct parked *next = one;

    do
        next = TAILQ_NEXT(next, in_group);
    while (next && next->group != one->group);
    return next;
}

static bool looks_for_group(const struct park *park, const struct parked *one, int64_t now_ms)
{
    return one->group && one->group_every_ms && one->group_look_ms <= now_ms &&
           one == first_of(park, one->group);
}

static void choose_for_group(struct park *park, struct parked_list *woken, struct parked *one,
                             int64_t now_ms)
{
    struct parked *next = next_of_group(one);

    if (next)
        next->group_look_ms = now_ms + one->group_every_ms;
    choose(woken, one, park->arrivals);
}

void park_sweep(struct park *park, int64_t now_ms)
{
    struct parked_list woken = TAILQ_HEAD_INITIALIZER(woken);
    struct parked *one;

    if (!park)
        return;
    enter(park);
    TAILQ_FOREACH(one, &park->all, link)
    {
        if (one->deadline_ms <= now_ms)
            one->over = true;
        if (one->over || one->look_ms <= now_ms)
            choose(&woken, one, 0);
        else if (looks_for_group(park, one, now_ms))
            choose_for_group(park, &woken, one, now_ms);
    }
    tell(park, &woken);
}

void park_close(struct park *park)
{
    struct parked_list woken = TAILQ_HEAD_INITIALIZER(woken);
    struct parked *one;

    if (!park)
        return;
    enter(park);
    park->closed = true;
    TAILQ_FOREACH(one, &park->all, link)
    {
        one->over = true;
        choose(&woken, one, 0);
    }
    tell(park, &woken);
}
