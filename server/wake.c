/* SPDX-License-Identifier: GPL-3.0-or-later
 * Keys: FNV-1a over kind and name. */
#include "server/wake.h"

#include <stddef.h>

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static uint64_t add(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * FNV_PRIME;
}

uint64_t wake_key(enum wake_kind kind, const char *name)
{
    uint64_t hash = add(FNV_START, (unsigned char)kind);

    for (; *name; name++)
        hash = add(hash, (unsigned char)*name);
    return hash;
}

void wake_tell(struct waker *waker, enum wake_kind kind, const char *name)
{
    if (waker)
        waker->tell(waker, wake_key(kind, name));
}

void wake_tell_all(struct waker *waker)
{
    if (waker)
        waker->tell_all(waker);
}
