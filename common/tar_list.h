/* SPDX-License-Identifier: GPL-3.0-or-later
 * Packs chosen files and directories, each under a name of its own, as one tar.gz. */
#ifndef COMMON_TAR_LIST_H
#define COMMON_TAR_LIST_H

#include "common/err.h"

#include <stddef.h>

struct tar_entry {
    const char *path; /* what to pack; a directory with everything below it */
    const char *name; /* what it is called in the archive */
};

/* Writes the archive to out_fd (borrowed).  A path that is a link is followed; links below a
 * directory stay links.  Owners and set-user-id bits are left out; sockets, pipes and devices are
 * refused. */
int tar_pack_list(const struct tar_entry *entries, size_t count, int out_fd, struct err *err);

#endif
