/* SPDX-License-Identifier: GPL-3.0-or-later
 * tar.gz archives, packed and unpacked in small steps so that a program with a poll loop can do it
 * between other things:
 *
 *     struct tar_packer *packer = tar_packer_new("/run/job", "artifacts", fd, &err);
 *     while ((rc = tar_packer_step(packer, &err)) > 0) ...     1: more to do, 0: done, -1: failed
 *     tar_packer_free(packer);
 */
#ifndef COMMON_TAR_H
#define COMMON_TAR_H

#include "common/err.h"

#include <stdint.h>

struct tar_packer;
struct tar_unpacker;

/* Bounds of an archive from elsewhere. */
struct tar_limits {
    const char *const *tops; /* first parts that names may begin with, NULL terminated; NULL: any */
    uint64_t bytes_max;      /* unpacked */
    uint64_t members_max;
};

/* Packs parent/name and everything below it, under name, into out_fd (borrowed).  Links are packed
 * as links; sockets, pipes, devices and what cannot be read are left out. */
struct tar_packer *tar_packer_new(const char *parent, const char *name, int out_fd,
                                  struct err *err);
int tar_packer_step(struct tar_packer *packer, struct err *err);
/* How many of the files and directories that could have been packed could not be read. */
uint64_t tar_packer_left_out(const struct tar_packer *packer);
void tar_packer_free(struct tar_packer *packer);

/* Unpacks in_fd (borrowed) into dir, which must exist and should be empty; limits are borrowed.
 * The archive is refused (ERR_INVALID) as soon as a member has an absolute name or "..", lies under
 * none of the tops, is a device or a pipe, is a link that could lead out of dir, would replace
 * another member, has a set-user-id or set-group-id bit, or passes the limits.  The caller then
 * removes dir: what came before is there. */
struct tar_unpacker *tar_unpacker_new(int in_fd, const char *dir, const struct tar_limits *limits,
                                      struct err *err);
int tar_unpacker_step(struct tar_unpacker *unpacker, struct err *err);
void tar_unpacker_free(struct tar_unpacker *unpacker);

#endif
