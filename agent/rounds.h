/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside loop.c, rounds.c and claim.c only: the states of the agent and what they share. */
#ifndef AGENT_ROUNDS_H
#define AGENT_ROUNDS_H

#include "agent/context.h"
#include "agent/own.h"
#include "agent/reactor.h"
#include "agent/spool.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

struct courier;
struct job;

#define LOOP_STATUS_RESTART 1 /* a supervisor starts the agent again */

enum loop_state {
    LOOP_ALIVE, /* does the server answer? */
    LOOP_AWAY,  /* it does not */
    LOOP_HELLO, /* once, and whenever the server seems to have forgotten the agent */
    LOOP_LEFT,  /* jobs of a run of this agent that died */
    LOOP_OWN,   /* the agent's own record */
    LOOP_OFFLINE,
    LOOP_CLAIM,
    LOOP_PAUSE,
    LOOP_JOB,
    LOOP_LEAVE,
    LOOP_STATE_COUNT
};

enum loop_event {
    LOOP_OK,
    LOOP_FAILED,
    LOOP_NONE,
    LOOP_WANTED_OFFLINE,
    LOOP_WANTED_RESTART,
    LOOP_WAITED, /* at the server, in vain: the next round begins at once */
    LOOP_EVENT_COUNT
};

struct loop {
    struct context *context;
    struct watch signals;
    enum loop_state state;
    enum loop_event event;
    struct timer step;     /* delivers the event */
    struct timer pause;    /* of the states that wait */
    struct timer patience; /* after SIGTERM */
    struct timer daily;
    struct timer look; /* at the own record, while a claim waits at the server */
    struct own_record own;
    struct courier *courier;
    struct job *job;
    struct json_object *claimed;
    char cursor[SPOOL_CURSOR_SIZE];
    int64_t away_s;
    int64_t pause_ms;   /* the next LOOP_PAUSE */
    int64_t claimed_ms; /* when the last claim went out */
    int64_t wait_s;     /* how long it may wait at the server; 0: not at all */
    int hasty;          /* claims in a row that were to wait and did not */
    int64_t last_state_ms;
    int64_t leave_until_ms;
    bool introduced;
    bool owes_state; /* a job is over and the server does not know yet what the device does now */
    bool stopping;
    int status;
};

/* What a state came to; the next one begins from the loop. */
void loop_comes_to(struct loop *l, enum loop_event event);
/* The state that says that there is no job. */
void round_post_waiting(struct loop *l);
bool round_heartbeat_is_due(const struct loop *l);
/* Looks at the own record while a claim waits at the server; loop.look calls it. */
void round_look(void *loop);
/* A claim that waits at the server is taken back; fine if there is none. */
void round_end_waiting(struct loop *l);
/* The pause ends with LOOP_OK. */
void loop_pause_for(struct loop *l, int64_t seconds);
void loop_pause_for_ms(struct loop *l, int64_t ms);

typedef void loop_action_fn(struct loop *l);
loop_action_fn round_ask_alive, round_wait_away, round_say_hello, round_take_up_left, round_ask_own,
    round_be_offline, round_claim, round_wait_poll, round_run_job;

#endif
