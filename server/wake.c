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

/* The end of MurmurHash3. */
uint64_t wake_share(enum wake_kind kind, const char *name)
{
    uint64_t hash = wake_key(kind, name);

    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

void wake_tell(struct waker *waker, enum wake_kind kind, const char *name)
{
    wake_tell_key(waker, wake_key(kind, name));
}

void wake_tell_key(struct waker *waker, uint64_t key)
{
    if (waker)
        waker->tell(waker, key);
}

void wake_tell_all(struct waker *waker)
{
    if (waker)
        waker->tell_all(waker);
}
