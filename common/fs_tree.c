/* SPDX-License-Identifier: GPL-3.0-or-later
 * Directory trees: made with their parents, removed without ever following a link. */
#include "common/fs.h"

#include "common/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 100

int fs_make_dirs(const char *path, struct err *err)
{
    AUTO_FREE char *part = strdup(path);
    struct stat st;

    if (!part)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (char *p = part + 1; part[0]; p++) {
        char saved = *p;

        if (saved != '/' && saved != '\0')
            continue;
        *p = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return err_set_errno(err, errno, "could not create directory \"%s\"", part);
        *p = saved;
        if (saved == '\0')
            break;
    }
    if (stat(path, &st) < 0)
        return err_set_errno(err, errno, "could not create directory \"%s\"", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_INTERNAL, "\"%s\" is not a directory", path);
    return 0;
}

static int remove_below(int parent, const char *name, int depth);

static int remove_entries(DIR *dir, int depth)
{
    struct dirent *entry;

    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (remove_below(dirfd(dir), entry->d_name, depth + 1) < 0)
            return -1;
    }
    return 0;
}

static int remove_directory(int parent, const char *name, int depth)
{
    DIR *dir;
    int fd;
    int rc;

    if (depth > DEPTH_MAX) {
        errno = ELOOP;
        return -1;
    }
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    (void)fchmod(fd, 0700); /* a job may have taken its own write permission away */
    dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return -1;
    }
    rc = remove_entries(dir, depth);
    (void)closedir(dir);
    return rc < 0 ? -1 : unlinkat(parent, name, AT_REMOVEDIR);
}

static int remove_below(int parent, const char *name, int depth)
{
    struct stat st;

    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    if (S_ISDIR(st.st_mode))
        return remove_directory(parent, name, depth);
    return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -1 : 0;
}

int fs_remove_tree(const char *path, struct err *err)
{
    if (remove_below(AT_FDCWD, path, 0) < 0)
        return err_set_errno(err, errno, "could not remove \"%s\"", path);
    return 0;
}
