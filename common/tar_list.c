/* SPDX-License-Identifier: GPL-3.0-or-later
 * The list is walked by libarchive's disk reader, one entry of the list after the other. */
#include "common/tar_list.h"

#include "common/cleanup.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_SIZE 65536
#define MODE_MASK 0777

static int archive_failed(struct archive *a, const char *path, struct err *err)
{
    const char *why = archive_error_string(a);

    return err_set(err, ERR_INTERNAL, "could not pack \"%s\": %s", path,
                   why ? why : "unknown reason");
}

static int copy_data(struct archive *disk, struct archive *out, const char *path, struct err *err)
{
    AUTO_FREE char *piece = malloc(COPY_SIZE);

    if (!piece)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (;;) {
        la_ssize_t got = archive_read_data(disk, piece, COPY_SIZE);

        if (got < 0)
            return archive_failed(disk, path, err);
        if (got == 0)
            return 0;
        if (archive_write_data(out, piece, (size_t)got) != got)
            return archive_failed(out, path, err);
    }
}

/* The part of the path below what the list names takes the list's name in front. */
static int rename_entry(struct archive_entry *entry, const struct tar_entry *listed,
                        struct err *err)
{
    const char *path = archive_entry_pathname(entry);
    AUTO_FREE char *name = NULL;

    if (!path || strncmp(path, listed->path, strlen(listed->path)) != 0 ||
        asprintf(&name, "%s%s", listed->name, path + strlen(listed->path)) < 0)
        return err_set(err, ERR_INTERNAL, "could not name what is in \"%s\"", listed->path);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_perm(entry, archive_entry_perm(entry) & MODE_MASK);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    archive_entry_set_uname(entry, NULL);
    archive_entry_set_gname(entry, NULL);
    archive_entry_acl_clear(entry);
    archive_entry_xattr_clear(entry);
    archive_entry_set_fflags(entry, 0, 0);
    return 0;
}

static int pack_one(struct archive *disk, struct archive *out, struct archive_entry *entry,
                    const struct tar_entry *listed, struct err *err)
{
    mode_t type = archive_entry_filetype(entry);

    if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
        return err_set(err, ERR_BAD_REQUEST, "\"%s\" is neither a file nor a directory",
                       archive_entry_pathname(entry));
    if (rename_entry(entry, listed, err) < 0)
        return -1;
    if (archive_write_header(out, entry) != ARCHIVE_OK)
        return archive_failed(out, listed->path, err);
    return type == AE_IFREG ? copy_data(disk, out, listed->path, err) : 0;
}

static int pack_tree(struct archive *disk, struct archive *out, const struct tar_entry *listed,
                     struct err *err)
{
    struct archive_entry *entry = archive_entry_new();
    int rc = 0;

    if (!entry)
        return err_set(err, ERR_INTERNAL, "out of memory");
    while (rc == 0) {
        int got = archive_read_next_header2(disk, entry);

        if (got == ARCHIVE_EOF)
            break;
        if (got != ARCHIVE_OK)
            rc = archive_failed(disk, listed->path, err);
        else
            rc = pack_one(disk, out, entry, listed, err);
        if (rc == 0)
            (void)archive_read_disk_descend(disk);
        archive_entry_clear(entry);
    }
    archive_entry_free(entry);
    return rc;
}

static int pack_listed(struct archive *out, const struct tar_entry *listed, struct err *err)
{
    struct archive *disk = archive_read_disk_new();
    int rc;

    if (!disk)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)archive_read_disk_set_symlink_hybrid(disk);
    if (archive_read_disk_open(disk, listed->path) != ARCHIVE_OK)
        rc = archive_failed(disk, listed->path, err);
    else
        rc = pack_tree(disk, out, listed, err);
    (void)archive_read_free(disk);
    return rc;
}

int tar_pack_list(const struct tar_entry *entries, size_t count, int out_fd, struct err *err)
{
    struct archive *out = archive_write_new();
    int rc = 0;

    if (!out)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (archive_write_add_filter_gzip(out) != ARCHIVE_OK ||
        archive_write_set_format_pax_restricted(out) != ARCHIVE_OK ||
        archive_write_open_fd(out, out_fd) != ARCHIVE_OK)
        rc = archive_failed(out, "the archive", err);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = pack_listed(out, &entries[i], err);
    if (rc == 0 && archive_write_close(out) != ARCHIVE_OK)
        rc = archive_failed(out, "the archive", err);
    /* closes it too; marking it as failed instead would leak the compressor */
    (void)archive_write_free(out);
    return rc;
}
