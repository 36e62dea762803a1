/* SPDX-License-Identifier: GPL-3.0-or-later
 * Packing: fts walks the tree (never following links, never changing directory), libarchive writes.
 * A step is one member's head or one block of its content. */
#include "common/tar.h"

#include "common/fs.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK (256 * 1024)

struct tar_packer {
    struct archive *out;
    struct archive_entry *entry;
    FTS *tree;
    size_t skip;   /* bytes of a path before the name in the archive */
    int fd;        /* the file being packed, or -1 */
    uint64_t left; /* of its announced size */
    uint64_t left_out;
    char block[BLOCK];
};

static int archive_failure(struct archive *a, struct err *err)
{
    int code = archive_errno(a);

    (void)err_set(err, code == ENOSPC || code == EDQUOT ? ERR_FULL : ERR_INTERNAL,
                  "could not write an archive: %s", archive_error_string(a));
    return -1;
}

static int open_archive(struct tar_packer *p, int out_fd, struct err *err)
{
    p->out = archive_write_new();
    p->entry = archive_entry_new();
    if (!p->out || !p->entry)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (archive_write_add_filter_gzip(p->out) != ARCHIVE_OK ||
        archive_write_set_format_pax_restricted(p->out) != ARCHIVE_OK ||
        archive_write_open_fd(p->out, out_fd) != ARCHIVE_OK)
        return archive_failure(p->out, err);
    return 0;
}

static int open_tree(struct tar_packer *p, const char *parent, const char *name, struct err *err)
{
    char *path = fs_join(parent, name);
    char *const paths[] = {path, NULL};

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    p->skip = strlen(path) - strlen(name);
    p->tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (!p->tree)
        (void)err_set_errno(err, errno, "could not read \"%s\"", path);
    free(path);
    return p->tree ? 0 : -1;
}

struct tar_packer *tar_packer_new(const char *parent, const char *name, int out_fd, struct err *err)
{
    struct tar_packer *p = calloc(1, sizeof(*p));

    if (!p) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    p->fd = -1;
    if (open_archive(p, out_fd, err) < 0 || open_tree(p, parent, name, err) < 0) {
        tar_packer_free(p);
        return NULL;
    }
    return p;
}

void tar_packer_free(struct tar_packer *packer)
{
    if (!packer)
        return;
    if (packer->fd >= 0)
        (void)close(packer->fd);
    if (packer->tree)
        (void)fts_close(packer->tree);
    archive_entry_free(packer->entry);
    (void)archive_write_free(packer->out); /* does not close out_fd */
    free(packer);
}

static int write_head(struct tar_packer *p, struct err *err)
{
    if (archive_write_header(p->out, p->entry) < ARCHIVE_WARN)
        return archive_failure(p->out, err);
    return 1;
}

static int add_file(struct tar_packer *p, const char *path, struct err *err)
{
    struct stat st;

    /* without waiting: it may have become a pipe since it was looked at */
    p->fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (p->fd < 0 && errno != ENOENT)
        p->left_out++;
    if (p->fd < 0 || fstat(p->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        if (p->fd >= 0)
            (void)close(p->fd);
        p->fd = -1;
        return 1;
    }
    archive_entry_copy_stat(p->entry, &st);
    archive_entry_set_nlink(p->entry, 1);
    p->left = (uint64_t)st.st_size;
    return write_head(p, err);
}

static int add_link(struct tar_packer *p, const char *path, struct err *err)
{
    char target[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof(target) - 1);

    if (len < 0)
        return 1;
    target[len] = '\0';
    archive_entry_set_symlink(p->entry, target);
    return write_head(p, err);
}

static int next_member(struct tar_packer *p, struct err *err)
{
    FTSENT *found = fts_read(p->tree);

    if (!found) {
        if (archive_write_close(p->out) != ARCHIVE_OK)
            return archive_failure(p->out, err);
        return 0;
    }
    (void)archive_entry_clear(p->entry);
    archive_entry_set_pathname(p->entry, found->fts_path + p->skip);
    switch (found->fts_info) {
    case FTS_D:
        archive_entry_copy_stat(p->entry, found->fts_statp);
        return write_head(p, err);
    case FTS_F:
        return add_file(p, found->fts_path, err);
    case FTS_SL:
    case FTS_SLNONE:
        archive_entry_copy_stat(p->entry, found->fts_statp);
        return add_link(p, found->fts_path, err);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        p->left_out++;
        return 1;
    default: /* the way back out of a directory, or nothing that can be packed */
        return 1;
    }
}

/* Exactly the announced size is written: a file cut meanwhile is filled up with zero bytes, what a
 * file grew meanwhile is left out. */
static int next_block(struct tar_packer *p, struct err *err)
{
    size_t want = p->left < BLOCK ? (size_t)p->left : BLOCK;
    ssize_t n = want ? read(p->fd, p->block, want) : 0;

    if (n < 0 && errno == EINTR)
        return 1;
    if (n <= 0) {
        memset(p->block, 0, want);
        n = (ssize_t)want;
    }
    if (n > 0 && archive_write_data(p->out, p->block, (size_t)n) < 0)
        return archive_failure(p->out, err);
    p->left -= (uint64_t)n;
    if (p->left == 0) {
        (void)close(p->fd);
        p->fd = -1;
    }
    return 1;
}

uint64_t tar_packer_left_out(const struct tar_packer *packer)
{
    return packer->left_out;
}

int tar_packer_step(struct tar_packer *packer, struct err *err)
{
    return packer->fd >= 0 ? next_block(packer, err) : next_member(packer, err);
}
