/* SPDX-License-Identifier: GPL-3.0-or-later
 * The first signal sets a flag, the second ends the program: a server that does not answer must
 * not hold up somebody who wants to leave. */
#include "cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void interrupt_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool interrupt_taken(void)
{
    if (!interrupted)
        return false;
    interrupted = 0;
    interrupt_watch();
    return true;
}

void interrupt_wait_ms(int timeout_ms)
{
    const struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    sigset_t blocked, before;

    /* blocked while the flag is looked at, open while waiting: none slips in between */
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGINT);
    (void)sigaddset(&blocked, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &blocked, &before);
    if (!interrupted)
        (void)ppoll(NULL, 0, &timeout, &before);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}
