/* SPDX-License-Identifier: GPL-3.0-or-later
 * Unpacking what somebody else packed.  libarchive only reads; every file is made here, below a
 * directory descriptor, never through a link, never over anything that is there.
 *
 * Links stay inside because of three rules together: the directories above a new link are real
 * ones; its target may climb only at its beginning, and not above the top; and every link that the
 * rest of the target passes through obeys the same rules. */
#include "common/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK      (256 * 1024)
#define DEPTH_MAX  50
#define NAME_SHOWN 200

struct tar_unpacker {
    struct archive *in;
    const struct tar_limits *limits;
    int dir_fd;
    int fd; /* the file being unpacked, or -1 */
    uint64_t bytes;
    uint64_t members;
    char name[PATH_MAX]; /* of the member */
    char block[BLOCK];
};

static int refuse(const struct tar_unpacker *u, const char *why, struct err *err)
{
    return err_set(err, ERR_INVALID, "archive member \"%.*s\" %s", NAME_SHOWN, u->name, why);
}

static int system_failure(const struct tar_unpacker *u, struct err *err)
{
    int code = errno;

    if (code == EEXIST || code == ENOTDIR || code == ELOOP)
        return refuse(u, "would replace or pass through another member", err);
    (void)err_set_errno(err, code, "could not unpack \"%.*s\"", NAME_SHOWN, u->name);
    if (code == ENOSPC || code == EDQUOT)
        err->code = ERR_FULL;
    return -1;
}

struct tar_unpacker *tar_unpacker_new(int in_fd, const char *dir, const struct tar_limits *limits,
                                      struct err *err)
{
    struct tar_unpacker *u = calloc(1, sizeof(*u));

    if (!u) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    u->fd = -1;
    u->limits = limits;
    u->in = archive_read_new();
    u->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (u->dir_fd < 0)
        (void)err_set_errno(err, errno, "could not open directory \"%s\"", dir);
    else if (!u->in || archive_read_support_filter_gzip(u->in) != ARCHIVE_OK ||
             archive_read_support_format_tar(u->in) != ARCHIVE_OK)
        (void)err_set(err, ERR_INTERNAL, "out of memory");
    else if (archive_read_open_fd(u->in, in_fd, 64 * 1024) != ARCHIVE_OK)
        (void)err_set(err, ERR_INVALID, "not a tar.gz archive: %s", archive_error_string(u->in));
    else
        return u;
    tar_unpacker_free(u);
    return NULL;
}

void tar_unpacker_free(struct tar_unpacker *unpacker)
{
    if (!unpacker)
        return;
    if (unpacker->fd >= 0)
        (void)close(unpacker->fd);
    if (unpacker->dir_fd >= 0)
        (void)close(unpacker->dir_fd);
    (void)archive_read_free(unpacker->in); /* does not close in_fd */
    free(unpacker);
}

/* --- names ----------------------------------------------------------------------------- */

/* Copies path without "." parts and doubled slashes; -1 if it is absolute, climbs, is too deep or
 * too long.  An empty result is the top itself. */
static int normalise(const char *path, char ret_name[static PATH_MAX])
{
    size_t len = 0;
    int depth = 0;

    if (*path == '/')
        return -1;
    while (*path) {
        size_t part = strcspn(path, "/");

        if (part == 2 && memcmp(path, "..", 2) == 0)
            return -1;
        if (part > 0 && !(part == 1 && *path == '.')) {
            if (len + part + 2 > PATH_MAX || part > NAME_MAX || ++depth > DEPTH_MAX)
                return -1;
            if (len > 0)
                ret_name[len++] = '/';
            memcpy(ret_name + len, path, part);
            len += part;
        }
        path += part + (path[part] == '/');
    }
    ret_name[len] = '\0';
    return 0;
}

static bool is_under_a_top(const struct tar_limits *limits, const char *name)
{
    size_t first = strcspn(name, "/");

    if (!limits->tops)
        return true;
    for (size_t i = 0; limits->tops[i]; i++)
        if (strlen(limits->tops[i]) == first && memcmp(limits->tops[i], name, first) == 0)
            return true;
    return false;
}

static int depth_of(const char *name)
{
    int depth = 0;

    for (; *name; name++)
        depth += *name == '/';
    return depth;
}

/* "../" at the beginning only, and not above the top. */
static bool stays_inside(const char *link_name, const char *target)
{
    int up = 0;

    if (*target == '/' || *target == '\0')
        return false;
    while (strncmp(target, "..", 2) == 0 && (target[2] == '/' || target[2] == '\0')) {
        up++;
        target += 2 + strspn(target + 2, "/");
    }
    for (; *target; target += strcspn(target, "/"), target += strspn(target, "/"))
        if (strncmp(target, "..", 2) == 0 && (target[2] == '/' || target[2] == '\0'))
            return false;
    return up <= depth_of(link_name);
}

/* --- making ---------------------------------------------------------------------------- */

/* Opens the directory above name, made if missing; *ret_last is the last part of name.  The caller
 * closes it. */
static int open_parent(const struct tar_unpacker *u, const char *name, const char **ret_last,
                       struct err *err)
{
    int fd = fcntl(u->dir_fd, F_DUPFD_CLOEXEC, 0);
    const char *at = name;
    const char *slash;
    char part[NAME_MAX + 1];
    int next;

    while (fd >= 0 && (slash = strchr(at, '/'))) {
        memcpy(part, at, (size_t)(slash - at));
        part[slash - at] = '\0';
        if (mkdirat(fd, part, 0755) < 0 && errno != EEXIST)
            next = -1;
        else
            next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            (void)system_failure(u, err);
        (void)close(fd);
        fd = next;
        at = slash + 1;
        if (fd < 0)
            return -1;
    }
    if (fd < 0)
        return system_failure(u, err);
    *ret_last = at;
    return fd;
}

static int make_directory(struct tar_unpacker *u, int parent, const char *last, struct err *err)
{
    struct stat st;

    if (mkdirat(parent, last, 0755) == 0)
        return 1;
    /* the same directory twice is common and harmless */
    if (errno == EEXIST && fstatat(parent, last, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(st.st_mode))
        return 1;
    errno = EEXIST;
    return system_failure(u, err);
}

static int make_file(struct tar_unpacker *u, int parent, const char *last, mode_t mode,
                     struct err *err)
{
    u->fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                   (mode & 0777) | 0600);
    return u->fd < 0 ? system_failure(u, err) : 1;
}

static int make_symlink(struct tar_unpacker *u, int parent, const char *last, const char *target,
                        struct err *err)
{
    if (!target || !stays_inside(u->name, target))
        return refuse(u, "is a link that leads outside", err);
    return symlinkat(target, parent, last) < 0 ? system_failure(u, err) : 1;
}

/* A second name for a member that is there already, and is a file. */
static int make_hardlink(struct tar_unpacker *u, int parent, const char *last, const char *target,
                         struct err *err)
{
    char other[PATH_MAX];
    const char *other_last = NULL;
    struct stat st;
    int fd;
    int rc = -1;

    if (normalise(target, other) < 0 || !other[0] || !is_under_a_top(u->limits, other))
        return refuse(u, "is a link that leads outside", err);
    fd = open_parent(u, other, &other_last, err);
    if (fd < 0)
        return -1;
    if (fstatat(fd, other_last, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        (void)refuse(u, "is a link to no file of the archive", err);
    else if (linkat(fd, other_last, parent, last, 0) < 0)
        (void)system_failure(u, err);
    else
        rc = 1;
    (void)close(fd);
    return rc;
}

static int make_member(struct tar_unpacker *u, struct archive_entry *entry, struct err *err)
{
    const char *last = NULL;
    mode_t mode = archive_entry_mode(entry);
    int parent = open_parent(u, u->name, &last, err);
    int rc;

    if (parent < 0)
        return -1;
    if (archive_entry_hardlink(entry))
        rc = make_hardlink(u, parent, last, archive_entry_hardlink(entry), err);
    else if (S_ISDIR(mode))
        rc = make_directory(u, parent, last, err);
    else if (S_ISREG(mode))
        rc = make_file(u, parent, last, mode, err);
    else if (S_ISLNK(mode))
        rc = make_symlink(u, parent, last, archive_entry_symlink(entry), err);
    else
        rc = refuse(u, "is a device, a pipe or a socket", err);
    (void)close(parent);
    return rc;
}

static const char *name_of(struct archive_entry *entry)
{
    /* NULL if the name has no spelling in this locale: then as it stands in the archive */
    const char *name = archive_entry_pathname(entry);

    return name ? name : archive_entry_pathname_utf8(entry);
}

static int next_member(struct tar_unpacker *u, struct err *err)
{
    struct archive_entry *entry;
    int rc = archive_read_next_header(u->in, &entry);
    const char *name;

    if (rc == ARCHIVE_EOF)
        return 0;
    if (rc < ARCHIVE_WARN)
        return err_set(err, ERR_INVALID, "not a tar.gz archive: %s", archive_error_string(u->in));
    name = name_of(entry);
    u->name[0] = '\0';
    if (!name || normalise(name, u->name) < 0)
        return err_set(err, ERR_INVALID, "archive member \"%.*s\" has a name that leads outside",
                       NAME_SHOWN, name ? name : "");
    if (++u->members > u->limits->members_max)
        return err_set(err, ERR_INVALID, "archive has more than %llu members",
                       (unsigned long long)u->limits->members_max);
    if (!u->name[0]) /* "./" */
        return S_ISDIR(archive_entry_mode(entry)) ? 1 : refuse(u, "has no name", err);
    if (!is_under_a_top(u->limits, u->name))
        return refuse(u, "lies in no directory that is allowed", err);
    if (archive_entry_mode(entry) & (S_ISUID | S_ISGID))
        return refuse(u, "has a set-user-id or set-group-id bit", err);
    return make_member(u, entry, err);
}

static int write_all(struct tar_unpacker *u, size_t len, struct err *err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(u->fd, u->block + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return system_failure(u, err);
        done += (size_t)n;
    }
    return 1;
}

static int next_block(struct tar_unpacker *u, struct err *err)
{
    la_ssize_t n = archive_read_data(u->in, u->block, BLOCK);

    if (n < 0)
        return err_set(err, ERR_INVALID, "not a tar.gz archive: %s", archive_error_string(u->in));
    if (n == 0) {
        (void)close(u->fd);
        u->fd = -1;
        return 1;
    }
    u->bytes += (uint64_t)n;
    if (u->bytes > u->limits->bytes_max)
        return err_set(err, ERR_INVALID, "archive has more than %llu bytes of content",
                       (unsigned long long)u->limits->bytes_max);
    return write_all(u, (size_t)n, err);
}

int tar_unpacker_step(struct tar_unpacker *unpacker, struct err *err)
{
    return unpacker->fd >= 0 ? next_block(unpacker, err) : next_member(unpacker, err);
}
