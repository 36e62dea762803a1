/* SPDX-License-Identifier: GPL-3.0-or-later
 * Owners free by leaving scope: AUTO_FREE char *path; AUTO_CLOSE int fd = -1;
 * AUTO(buf) struct buf b  calls buf_done(&b).  take_ptr() hands the value out. */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

#define AUTO_FREE  __attribute__((cleanup(cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))
#define AUTO(type) __attribute__((cleanup(type##_done)))

/* Returns *pp and leaves NULL there, so that the scope no longer frees it. */
#define take_ptr(pp)                                                                               \
    ({                                                                                             \
        __typeof__(*(pp)) taken_ = *(pp);                                                          \
        *(pp) = NULL;                                                                              \
        taken_;                                                                                    \
    })

/* Returns *fdp and leaves -1 there. */
static inline int take_fd(int *fdp)
{
    int fd = *fdp;

    *fdp = -1;
    return fd;
}

#endif
