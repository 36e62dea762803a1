/* SPDX-License-Identifier: GPL-3.0-or-later
 * Preloaded into a program under test: its clocks run as they do, but from somewhere else.  The
 * file $CLOCK_SHIFT holds two numbers, the seconds added to the time of day and to the monotonic
 * clock; it is read at each call, so a test can let the time jump. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct shifts {
    long realtime_s;
    long monotonic_s;
};

static struct shifts read_shifts(void)
{
    struct shifts shifts = {0, 0};
    const char *path = getenv("CLOCK_SHIFT");
    char text[64];
    char *rest;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        (void)close(fd);
    if (n > 0) {
        text[n] = '\0';
        shifts.realtime_s = strtol(text, &rest, 10);
        shifts.monotonic_s = strtol(rest, NULL, 10);
    }
    return shifts;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int rc = (int)syscall(SYS_clock_gettime, id, now);
    struct shifts shifts;

    if (rc != 0)
        return rc;
    shifts = read_shifts();
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        now->tv_sec += shifts.realtime_s;
    else if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE || id == CLOCK_BOOTTIME)
        now->tv_sec += shifts.monotonic_s;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;

    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0)
        return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}
