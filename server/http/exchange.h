/* SPDX-License-Identifier: GPL-3.0-or-later
 * One request and its answer.  It belongs to the loop thread; in state WORKING it belongs to the
 * worker that has it, and its connection is suspended meanwhile, which also means that
 * libmicrohttpd leaves both alone. */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

#include "server/http/headers.h"
#include "server/http/inner.h"
#include "server/http/park.h"
#include "server/http/target.h"

/* Bodies that nobody wants are read up to this size, so that the connection can go on. */
#define SWALLOW_MAX_BYTES ((uint64_t)1 << 20)
/* What a form may have around an upload. */
#define FORM_MAX_BYTES ((uint64_t)64 << 10)

enum exchange_state {
    EXCHANGE_TARGET,  /* the request line is there */
    EXCHANGE_BODY,    /* header read and judged, the body is coming in */
    EXCHANGE_WORKING, /* a worker's; .next_state says how it goes on */
    EXCHANGE_ANSWER,  /* res is to be queued */
    EXCHANGE_DROPPED, /* the client has gone, nothing was done */
    EXCHANGE_SENDING,
};

struct exchange {
    struct work work;
    struct exchange *next_mail;
    struct exchange *next_blank; /* of a loop's, while it is none */
    struct loop *loop;
    struct conn *conn; /* NULL: the connection is closed, a worker does what is left */
    struct MHD_Connection *connection;
    enum exchange_state state;
    enum exchange_state next_state;
    struct err err; /* .code set: the answer is this error, the body is only swallowed */
    struct target target;
    struct headers headers;
    struct route_match match;
    struct request req;
    struct response res;
    char agent_name[NAME_MAX_BYTES + 1];
    int64_t length; /* of the body; -1: chunked */
    uint64_t received_bytes;
    int64_t started_us;
    int64_t answered_us;
    int64_t queued_ms;
    int status; /* 0: not answered */
    uint64_t sent_bytes;
    atomic_bool gone;
    struct parked parked;
    int64_t wait_until_ms; /* 0: has not waited */
    int64_t parked_us;     /* since then; 0: is not parked */
    int64_t waited_us;
    uint64_t waits_as; /* whose place it has taken; 0: none */
    int64_t away_ms;   /* since then the database has not answered its looks; 0: it has */
    bool alone;        /* takes long: is not made together with others */
    void *prepared;    /* of the route's .together; NULL: is not prepared */
    struct upload *upload;
    struct outflow *outflow;
};

/* exchange.c */
void *exchange_start(void *cls, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **context);
void exchange_completed(void *cls, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode code);
/* At the end of the loop: those it keeps for requests to come. */
void exchange_free_blanks(struct loop *loop);
/* Ends the connection's exchange, if it has one: libmicrohttpd does not always tell the end of a
 * request that failed before its header was complete. */
void exchange_retire(struct conn *conn);
/* Gives the exchange to the workers and suspends its connection; run is called there.  -1: the
 * queue is full. */
int exchange_hand_over(struct exchange *ex, void (*run)(struct work *work, struct app *app),
                       enum exchange_state next_state, bool always);
enum work_lane exchange_lane(const struct exchange *ex);
/* A worker has handed it back. */
void exchange_returned(struct exchange *ex);

/* exchange_head.c: everything that can be said once the header is there */
void exchange_judge(struct exchange *ex, const char *method);

/* exchange_run.c: what happens on workers (and for LANE_LOOP on the loop) */
void exchange_run(struct work *work, struct app *app);
/* False: nobody waits for it any more, or it is too late; it only has to be handed back then. */
bool exchange_is_wanted(struct exchange *ex, const struct app *app);
/* Body checks, and what the route wants done beforehand; once.  False: the answer is there already,
 * without asking anybody. */
bool exchange_prepare(struct exchange *ex, const struct app *app);
/* What was said of it is its answer; err->code: that this went wrong. */
void exchange_take_answer(struct exchange *ex, const struct app *app, struct err *err);
/* Nobody waits for it any more. */
void exchange_drop(struct exchange *ex, const struct app *app);

/* exchange_together.c, for routes that have .together: all of a list */
void exchange_run_together(struct work *list, struct app *app);
/* One, which is in the lane that gathers next. */
void exchange_run_prepare(struct work *work, struct app *app);

/* exchange_wait.c: worker or loop */
/* Back to the workers; from any thread. */
void exchange_look_again(struct exchange *ex);
/* Others of its group may find what it was woken for. */
void exchange_pass(const struct exchange *ex);
/* Before a look: whether it is the last one. */
void exchange_begin_look(struct exchange *ex);
/* The look failed with err, or not at all.  True: it has waited before and the database is not away
 * for long, so it goes on waiting and looks again soon; it is to be parked then. */
bool exchange_rides_out(struct exchange *ex, const struct err *err);
/* Takes one of the places of its client, before it waits; it has it until its end. */
int exchange_take_place(struct exchange *ex, struct err *err);
/* The look ended with nothing to say.  PARK_WAITS and PARK_CHANGED: it is not the caller's any
 * more; PARK_OVER: look again, for the last time; PARK_GONE: drop it. */
enum park_answer exchange_park(struct exchange *ex, uint64_t mark);
/* The same for a streamed answer, by its own key. */
enum park_answer exchange_park_stream(struct exchange *ex, uint64_t mark);
/* Loop thread: the client has left; ends the waiting if it waits. */
void exchange_leave(struct exchange *ex);

/* exchange_send.c */
enum MHD_Result exchange_send(struct exchange *ex);
/* Answers in mid-body, where libmicrohttpd cannot: writes the error to the socket.  The connection
 * is to be closed then. */
void exchange_refuse(struct exchange *ex);
void exchange_log(const struct exchange *ex, bool complete);
void exchange_log_failure(const struct exchange *ex, const struct err *err);

/* exchange_audit.c: once the status is known */
void exchange_audit(const struct exchange *ex);

#endif
