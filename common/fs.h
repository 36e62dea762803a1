/* SPDX-License-Identifier: GPL-3.0-or-later
 * Files and directories, whole. */
#ifndef COMMON_FS_H
#define COMMON_FS_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

/* "dir/name"; the caller frees it.  NULL when memory is out. */
char *fs_join(const char *dir, const char *name);

/* Reads the file into *ret (initialised by the caller with its maximum; appended to).  A file
 * larger than the maximum fails with ERR_TOO_LARGE, one that is not there with ERR_NOT_FOUND. */
int fs_read(const char *path, struct buf *ret, struct err *err);

/* Opens a path at which somebody else may have put something: only a plain file is opened, no link
 * is followed, and nobody at the other end of a pipe is waited for.  Returns the descriptor. */
int fs_open_file(const char *path, int flags, unsigned mode, struct err *err);
/* As fs_read, of such a path. */
int fs_read_file(const char *path, struct buf *ret, struct err *err);

/* Reads a secret: the first line of the file, without its end; empty is refused.  The caller
 * frees it. */
int fs_read_secret(const char *path, char **ret_secret, struct err *err);

/* Writes path so that after a crash it is the old or the new content, whole: temporary file,
 * fsync, rename, fsync of the directory.  mode applies to the new file. */
int fs_write_atomic(const char *path, const void *data, size_t len, unsigned mode, struct err *err);

/* What was made, renamed and removed in the directory is on the disk when this returns. */
int fs_sync_dir(const char *dir, struct err *err);

/* Makes path and its missing parents (0755, umask applied). */
int fs_make_dirs(const char *path, struct err *err);

/* Removes path and everything below it, never following links, at most 100 levels deep; what is
 * not there is fine. */
int fs_remove_tree(const char *path, struct err *err);

#endif
