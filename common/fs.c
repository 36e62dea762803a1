/* SPDX-License-Identifier: GPL-3.0-or-later
 * Whole files: reading with a limit, writing so that a crash leaves the old or the new content. */
#include "common/fs.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 8192

char *fs_join(const char *dir, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return NULL;
    return path;
}

static int open_failed(const char *path, struct err *err)
{
    int saved = errno;

    (void)err_set_errno(err, saved, "could not open \"%s\"", path);
    if (err && saved == ENOENT)
        err->code = ERR_NOT_FOUND;
    return -1;
}

static int read_all(int fd, const char *path, struct buf *ret, struct err *err)
{
    char piece[16384];

    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "could not read \"%s\"", path);
        if (n == 0)
            return 0;
        if (buf_add(ret, piece, (size_t)n) < 0)
            return err_set(err, ERR_TOO_LARGE, "\"%s\" is larger than %zu bytes", path, ret->max);
    }
}

int fs_read(const char *path, struct buf *ret, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? open_failed(path, err) : read_all(fd, path, ret, err);
}

int fs_open_file(const char *path, int flags, unsigned mode, struct err *err)
{
    AUTO_CLOSE int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
    struct stat st;

    if (fd < 0 && errno != ENXIO) /* a pipe that nobody reads, or a socket */
        return open_failed(path, err);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "\"%s\" is not a file", path);
    return take_fd(&fd);
}

int fs_read_file(const char *path, struct buf *ret, struct err *err)
{
    AUTO_CLOSE int fd = fs_open_file(path, O_RDONLY, 0, err);

    return fd < 0 ? -1 : read_all(fd, path, ret, err);
}

int fs_read_secret(const char *path, char **ret_secret, struct err *err)
{
    struct buf text = BUF_INIT(SECRET_MAX);
    int rc = fs_read(path, &text, err);

    if (rc == 0) {
        if (text.len)
            buf_cut(&text, strcspn(buf_text(&text), "\r\n"));
        if (text.len == 0)
            rc = err_set(err, ERR_INVALID, "\"%s\" holds no secret", path);
    }
    if (rc == 0 && !(*ret_secret = strdup(buf_text(&text))))
        rc = err_set(err, ERR_INTERNAL, "out of memory");
    if (text.data)
        explicit_bzero(text.data, text.cap);
    buf_done(&text);
    return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int fs_sync_dir(const char *dir, struct err *err)
{
    AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return err_set_errno(err, errno, "could not sync directory \"%s\"", dir);
    return 0;
}

static int sync_parent(const char *path)
{
    AUTO_FREE char *dir = strdup(path);
    char *slash = dir ? strrchr(dir, '/') : NULL;

    if (!dir)
        return -1;
    if (slash)
        slash[slash == dir ? 1 : 0] = '\0';
    return fs_sync_dir(slash ? dir : ".", NULL);
}

int fs_write_atomic(const char *path, const void *data, size_t len, unsigned mode, struct err *err)
{
    AUTO_FREE char *temporary = NULL;
    AUTO_CLOSE int fd = -1;
    int saved;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        temporary = NULL;
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "could not create a file beside \"%s\"", path);
    if (fchmod(fd, mode) == 0 && write_all(fd, data, len) == 0 && fsync(fd) == 0 &&
        rename(temporary, path) == 0 && sync_parent(path) == 0)
        return 0;
    saved = errno;
    (void)unlink(temporary);
    return err_set_errno(err, saved, "could not write \"%s\"", path);
}
