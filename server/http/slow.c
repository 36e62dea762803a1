/* SPDX-License-Identifier: GPL-3.0-or-later
 * A table with one place for each hash. */
#include "server/http/slow.h"

#include "server/wake.h"

static uint64_t key_of(const struct request *req)
{
    uint64_t key = wake_key(WAKE_AGENT, req->agent_name ? req->agent_name : "");

    for (size_t i = 0; i < req->query_count; i++)
        key = key * 31 + wake_key(WAKE_QUEUE, req->query[i].value);
    return key | 1; /* 0 is a free place */
}

static size_t place_of(uint64_t key)
{
    return (size_t)(key >> 1) % SLOW_PLACES;
}

bool slow_list_has(const struct slow_list *list, const struct request *req)
{
    uint64_t key;

    if (list->count == 0)
        return false;
    key = key_of(req);
    return list->keys[place_of(key)] == key;
}

void slow_list_set(struct slow_list *list, const struct request *req, bool slow)
{
    uint64_t key, *place;

    if (!slow && list->count == 0)
        return;
    key = key_of(req);
    place = &list->keys[place_of(key)];
    if (slow) {
        list->count += *place == 0;
        *place = key;
    } else if (*place == key) {
        list->count--;
        *place = 0;
    }
}
