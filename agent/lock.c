/* SPDX-License-Identifier: GPL-3.0-or-later
 * flock() rather than a process id alone: an id can be another program's by now. */
#include "agent/lock.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
#define PID_SIZE   32

/* A file that an agent of another user made can be locked, but not be written to; and the kernel
 * may refuse O_CREAT for it in a directory that all may write to. */
static int open_lock(const char *path)
{
    int fd = open(path, O_RDWR | OPEN_FLAGS);

    if (fd < 0 && errno == ENOENT) {
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS, 0644);
        if (fd < 0 && errno == EEXIST) /* another process was faster */
            fd = open(path, O_RDWR | OPEN_FLAGS);
    }
    if (fd < 0 && errno == EACCES)
        fd = open(path, O_RDONLY | OPEN_FLAGS);
    return fd;
}

static int refuse(int fd, const char *path, const char *agent, struct err *err)
{
    char text[PID_SIZE] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM))
        return err_set(err, ERR_CONFLICT,
                       "another agent named \"%s\" is running: process %ld holds \"%s\"", agent,
                       pid, path);
    return err_set(err, ERR_CONFLICT, "another agent named \"%s\" is running: it holds \"%s\"",
                   agent, path);
}

static void write_pid(int fd)
{
    char text[PID_SIZE];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    /* for people, and for the message above: the lock holds without it */
    if (ftruncate(fd, 0) == 0)
        (void)!pwrite(fd, text, (size_t)len, 0);
}

int lock_take(const char *path, const char *agent, int *ret_fd, struct err *err)
{
    AUTO_CLOSE int fd = open_lock(path);
    struct stat st;

    if (fd < 0)
        return err_set_errno(err, errno, "could not open the lock \"%s\"", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "the lock \"%s\" is not a file", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return refuse(fd, path, agent, err);
        return err_set_errno(err, errno, "could not lock \"%s\"", path);
    }
    write_pid(fd);
    *ret_fd = take_fd(&fd);
    return 0;
}

int lock_take_name(const char *dir, const char *agent, int *ret_fd, struct err *err)
{
    AUTO(buf) struct buf path = BUF_INIT(8192);

    if (fs_make_dirs(dir, err) < 0)
        return -1;
    (void)buf_addf(&path, "%s/testflinger-agent.%s.lock", dir, agent);
    if (buf_failed(&path))
        return err_set(err, ERR_TOO_LARGE, "the name of a lock in \"%s\" is too long", dir);
    return lock_take(buf_text(&path), agent, ret_fd, err);
}
