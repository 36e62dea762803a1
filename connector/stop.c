/* SPDX-License-Identifier: GPL-3.0-or-later
 * The signals are blocked and read from a descriptor: there is no moment at which one is lost. */
#include "connector/stop.h"

#include "common/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

int stop_init(struct stop *stop, struct err *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigaddset(&set, signals[i]);
    *stop = (struct stop){.fd = -1};
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0 ||
        (stop->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return err_set_errno(err, errno, "could not prepare for signals");
    return 0;
}

void stop_done(struct stop *stop)
{
    if (stop->fd >= 0)
        (void)close(stop->fd);
    stop->fd = -1;
}

bool stop_asked(struct stop *stop)
{
    struct signalfd_siginfo info;

    if (!stop)
        return false;
    if (stop->number == 0 && read(stop->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        stop->number = (int)info.ssi_signo;
    return stop->number != 0;
}

bool stop_wait(struct stop *stop, int64_t ms)
{
    int64_t deadline = clock_ms(&clock_system) + ms;
    struct pollfd wait = {.fd = stop ? stop->fd : -1, .events = POLLIN};

    while (!stop_asked(stop)) {
        int64_t left = deadline - clock_ms(&clock_system);

        if (left <= 0)
            return false;
        (void)poll(&wait, 1, (int)(left < INT_MAX ? left : INT_MAX));
    }
    return true;
}

int stop_error(const struct stop *stop, struct err *err)
{
    return err_set(err, ERR_GONE, "ended by signal %d (%s)", stop->number, strsignal(stop->number));
}
