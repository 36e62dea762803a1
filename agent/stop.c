/* SPDX-License-Identifier: GPL-3.0-or-later
 * The reasons are a table: which phases each of them may end, and how it is told. */
#include "agent/stop.h"

#include <assert.h>
#include <stddef.h>

#define BIT(phase) (1U << PHASE_##phase)
#define ALL        (~0U)

static const struct {
    unsigned phases;
    const char *event;
    const char *text;
} reasons[STOP_REASON_COUNT] = {
    [STOP_NONE] = {0, "", ""},
    /* a reservation lasts as long as it was asked for */
    [STOP_GLOBAL_TIMEOUT] = {ALL & ~BIT(RESERVE), "global_timeout", "Global timeout reached"},
    [STOP_OUTPUT_TIMEOUT] = {BIT(TEST), "output_timeout", "Output timeout reached"},
    /* a device half provisioned is worse than one provisioned for nothing */
    [STOP_CANCELLED] = {ALL & ~(BIT(PROVISION) | BIT(CLEANUP)), "cancelled",
                        "Job cancellation was requested, exiting"},
    /* whoever has the job now wants the device, if it is this one, cleaned up */
    [STOP_LOST] = {ALL & ~BIT(CLEANUP), "lease_lost", "The job was given to another agent"},
    [STOP_SILENCE] = {ALL & ~BIT(CLEANUP), "server_lost",
                      "The server cannot be reached for too long"},
    [STOP_SHUTDOWN] = {ALL, "agent_stopped", "The agent was asked to stop, exiting"},
};

int64_t stop_limit_s(int64_t job_s, int64_t agent_s, int64_t default_s)
{
    int64_t job = job_s > 0 ? job_s : default_s;
    int64_t agent = agent_s > 0 ? agent_s : default_s;

    return job < agent ? job : agent;
}

static bool applies(enum stop_reason reason, enum phase phase)
{
    return (reasons[reason].phases & (1U << phase)) != 0;
}

bool stop_ask(struct stop *stop, enum stop_reason reason)
{
    assert(reason > STOP_NONE && reason < STOP_REASON_COUNT);
    if (stop->reason != STOP_NONE || !applies(reason, stop->phase))
        return false;
    stop_disarm(stop);
    stop->reason = reason;
    stop->stop(stop->arg, reason);
    return true;
}

static void on_global(void *arg)
{
    (void)stop_ask(arg, STOP_GLOBAL_TIMEOUT);
}

static void on_silence(void *arg)
{
    (void)stop_ask(arg, STOP_OUTPUT_TIMEOUT);
}

void stop_arm(struct stop *stop, enum phase phase, int64_t global_s, int64_t output_s)
{
    stop_disarm(stop);
    stop->global = (struct timer){.fire = on_global, .arg = stop};
    stop->silence = (struct timer){.fire = on_silence, .arg = stop};
    stop->phase = phase;
    stop->reason = STOP_NONE;
    stop->silence_ms = applies(STOP_OUTPUT_TIMEOUT, phase) ? output_s * 1000 : 0;
    if (applies(STOP_GLOBAL_TIMEOUT, phase))
        reactor_after(stop->reactor, &stop->global, global_s * 1000);
    stop_touch(stop);
}

void stop_touch(struct stop *stop)
{
    if (stop->silence_ms > 0 && stop->reason == STOP_NONE)
        reactor_after(stop->reactor, &stop->silence, stop->silence_ms);
}

void stop_disarm(struct stop *stop)
{
    reactor_disarm(stop->reactor, &stop->global);
    reactor_disarm(stop->reactor, &stop->silence);
    stop->silence_ms = 0;
}

const char *stop_event(enum stop_reason reason)
{
    assert(reason < STOP_REASON_COUNT);
    return reasons[reason].event;
}

const char *stop_text(enum stop_reason reason)
{
    assert(reason < STOP_REASON_COUNT);
    return reasons[reason].text;
}
