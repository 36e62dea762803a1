/* SPDX-License-Identifier: GPL-3.0-or-later
 * Two timers. */
#include "agent/lease.h"

#define AGAIN_MIN_MS INT64_C(1000)

static void on_renew(void *arg)
{
    struct lease *lease = arg;

    reactor_after(lease->reactor, &lease->renew, lease->every_ms);
    lease->user.renew(lease->user.arg);
}

/* Looks when the patience would be over as things are now, rather than at every reply. */
static void on_silence(void *arg)
{
    struct lease *lease = arg;
    int64_t silent_ms = clock_ms(lease->reactor->clock) - lease->user.heard_ms(lease->user.arg);

    if (silent_ms < lease->patience_ms)
        reactor_after(lease->reactor, &lease->silence, lease->patience_ms - silent_ms);
    else
        lease->user.silent(lease->user.arg);
}

void lease_begin(struct lease *lease, struct reactor *reactor, const struct record_lease *granted,
                 const struct lease_user *user, int64_t first_ms)
{
    int64_t ms = granted->seconds * 1000;

    *lease = (struct lease){
        .reactor = reactor,
        .user = *user,
        .every_ms = ms / 3,
        .again_ms = ms / 12 > AGAIN_MIN_MS ? ms / 12 : AGAIN_MIN_MS,
        .patience_ms = granted->stop_after * 1000,
        .renew = {.fire = on_renew, .arg = lease},
        .silence = {.fire = on_silence, .arg = lease},
    };
    reactor_after(reactor, &lease->renew, first_ms < 0 ? lease->every_ms : first_ms);
    if (lease->patience_ms > 0)
        reactor_after(reactor, &lease->silence, lease->patience_ms);
}

void lease_failed(struct lease *lease)
{
    int64_t again_ms = lease->again_ms;

    if (lease->renew.armed && lease->renew.at_ms - clock_ms(lease->reactor->clock) > again_ms)
        reactor_after(lease->reactor, &lease->renew, again_ms);
}

void lease_end(struct lease *lease)
{
    if (!lease->reactor)
        return;
    reactor_disarm(lease->reactor, &lease->renew);
    reactor_disarm(lease->reactor, &lease->silence);
}
