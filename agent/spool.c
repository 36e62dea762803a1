/* SPDX-License-Identifier: GPL-3.0-or-later
 * Directories are named by job id; everything else in there is left alone. */
#include "agent/spool.h"

#include "agent/lock.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESERVE_BYTES (1024 * 1024)
#define MADE          ".new"
#define REMOVED       ".done"

struct spool {
    char *run_dir;
    char *results_dir;
    char *reserve;
    char *agent;
    int lock_fd;
    char held[UUID_TEXT_SIZE];
};

static char *hidden_path(const char *dir, const char *agent, const char *suffix)
{
    struct buf path = BUF_INIT(8192);

    (void)buf_addf(&path, "%s/.%s.%s", dir, agent, suffix);
    return buf_take(&path);
}

/* A second host may share the directories, or a second process a lock directory of its own. */
static int lock(struct spool *s, struct err *err)
{
    AUTO_FREE char *path = hidden_path(s->run_dir, s->agent, "lock");

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    return lock_take(path, s->agent, &s->lock_fd, err);
}

/* --- directories come and go as a whole -------------------------------------------------- */

/* The directory in dir that stands for the job while it is made or removed. */
static char *passing_path(const struct spool *s, const char *dir, const char *id,
                          const char *suffix)
{
    struct buf path = BUF_INIT(8192);

    (void)buf_addf(&path, "%s/.%s.%s%s", dir, s->agent, id, suffix);
    return buf_take(&path);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static char *parent_of(const char *path)
{
    const char *name = last_part(path);

    return name == path ? strdup(".") : strndup(path, (size_t)(name - path - 1));
}

static bool is_in(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* An agent died while it made this directory: the job was taken, so it must be told of. */
static void finish_making(const struct spool *s, const char *dir, const char *id,
                          const char *passing)
{
    AUTO_FREE char *path = fs_join(dir, id);
    struct record record;

    record_init(&record, s->agent);
    (void)unlink(s->reserve); /* a record must have room */
    if (path &&
        (record_load(&record, passing, NULL) == 0 || record_sync(&record, passing, NULL) == 0) &&
        rename(passing, path) == 0)
        return;
    (void)fs_remove_tree(passing, NULL);
}

/* What a run of this agent that died left half done in dir. */
static void finish_passing(const struct spool *s, const char *dir)
{
    DIR *entries = opendir(dir);
    size_t prefix = strlen(s->agent) + 2;
    struct dirent *entry;

    while (entries && (entry = readdir(entries))) {
        const char *name = entry->d_name;
        char id[UUID_TEXT_SIZE];
        AUTO_FREE char *passing = NULL;

        if (strlen(name) < prefix + UUID_TEXT_SIZE || name[0] != '.' ||
            strncmp(name + 1, s->agent, prefix - 2) != 0 || name[prefix - 1] != '.' ||
            parse_uuid(name + prefix, UUID_TEXT_SIZE - 1, id, NULL) < 0)
            continue;
        passing = fs_join(dir, name);
        if (passing && strcmp(name + prefix + UUID_TEXT_SIZE - 1, MADE) == 0)
            finish_making(s, dir, id, passing);
        else if (passing && strcmp(name + prefix + UUID_TEXT_SIZE - 1, REMOVED) == 0)
            (void)fs_remove_tree(passing, NULL);
    }
    if (entries)
        (void)closedir(entries);
}

struct spool *spool_new(const char *run_dir, const char *results_dir, const char *agent,
                        struct err *err)
{
    struct spool *s = calloc(1, sizeof(*s));

    if (!s) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    s->lock_fd = -1;
    s->run_dir = strdup(run_dir);
    s->results_dir = strdup(results_dir);
    s->agent = strdup(agent);
    s->reserve = hidden_path(run_dir, agent, "reserve");
    if (!s->run_dir || !s->results_dir || !s->agent || !s->reserve)
        (void)err_set(err, ERR_INTERNAL, "out of memory");
    else if (fs_make_dirs(run_dir, err) == 0 && fs_make_dirs(results_dir, err) == 0 &&
             lock(s, err) == 0) {
        finish_passing(s, run_dir);
        finish_passing(s, results_dir);
        return s;
    }
    spool_free(s);
    return NULL;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->lock_fd >= 0)
        (void)close(spool->lock_fd);
    free(spool->run_dir);
    free(spool->results_dir);
    free(spool->reserve);
    free(spool->agent);
    free(spool);
}

int spool_reserve(struct spool *spool, struct err *err)
{
    AUTO_CLOSE int fd = open(spool->reserve, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc;

    if (fd < 0)
        return err_set_errno(err, errno, "could not create \"%s\"", spool->reserve);
    rc = posix_fallocate(fd, 0, RESERVE_BYTES);
    if (rc == 0)
        return 0;
    (void)unlink(spool->reserve);
    return err_set_errno(err, rc, "no room in \"%s\" for another job", spool->run_dir);
}

static int check_room(const char *dir, int64_t min_free, struct err *err)
{
    struct statvfs fs;
    int64_t free_bytes;

    if (statvfs(dir, &fs) < 0)
        return err_set_errno(err, errno, "could not look at the disk of \"%s\"", dir);
    free_bytes = fs.f_bavail > (fsblkcnt_t)(INT64_MAX / (int64_t)fs.f_frsize)
                     ? INT64_MAX
                     : (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    if (free_bytes >= min_free)
        return 0;
    return err_set(err, ERR_FULL,
                   "%" PRId64 " MiB are free in \"%s\", disk_min_free is %" PRId64 " MiB",
                   free_bytes >> 20, dir, min_free >> 20);
}

int spool_check_room(const struct spool *spool, int64_t min_free, struct err *err)
{
    if (check_room(spool->run_dir, min_free, err) < 0)
        return -1;
    return check_room(spool->results_dir, min_free, err);
}

/* With its record, so that nobody ever sees it without one. */
static int make_passing(struct spool *s, const char *path, const struct record *record,
                        struct err *err)
{
    if (fs_remove_tree(path, err) < 0)
        return -1;
    if (mkdir(path, 0700) < 0) /* the definition in there has secrets */
        return err_set_errno(err, errno, "could not create directory \"%s\"", path);
    if (record_sync(record, path, NULL) == 0)
        return 0;
    (void)unlink(s->reserve); /* the disk may have become full since there was room */
    return record_sync(record, path, err);
}

int spool_make(struct spool *spool, const char *job_id, const struct record *record, char **ret_dir,
               struct err *err)
{
    AUTO_FREE char *dir = fs_join(spool->run_dir, job_id);
    AUTO_FREE char *passing = passing_path(spool, spool->run_dir, job_id, MADE);

    if (!dir || !passing)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (spool_discard(spool, dir, err) < 0 || make_passing(spool, passing, record, err) < 0)
        return -1;
    if (rename(passing, dir) < 0) {
        (void)err_set_errno(err, errno, "could not create directory \"%s\"", dir);
        (void)fs_remove_tree(passing, NULL);
        return -1;
    }
    if (fs_sync_dir(spool->run_dir, err) < 0) {
        (void)spool_discard(spool, dir, NULL);
        return -1;
    }
    *ret_dir = take_ptr(&dir);
    return 0;
}

int spool_discard(struct spool *spool, const char *dir, struct err *err)
{
    AUTO_FREE char *parent = parent_of(dir);
    AUTO_FREE char *passing = parent ? passing_path(spool, parent, last_part(dir), REMOVED) : NULL;

    if (!passing)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (fs_remove_tree(passing, err) < 0)
        return -1;
    if (rename(dir, passing) < 0)
        return errno == ENOENT
                   ? 0
                   : err_set_errno(err, errno, "could not remove directory \"%s\"", dir);
    (void)fs_sync_dir(parent, NULL);
    return fs_remove_tree(passing, err);
}

int spool_write(struct spool *spool, const char *dir, const char *name, const char *text,
                struct err *err)
{
    AUTO_FREE char *path = fs_join(dir, name);

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (fs_write_atomic(path, text, strlen(text), 0600, NULL) == 0)
        return 0;
    (void)unlink(spool->reserve);
    return fs_write_atomic(path, text, strlen(text), 0600, err);
}

int spool_read(const char *dir, const char *name, struct buf *ret, struct err *err)
{
    AUTO_FREE char *path = fs_join(dir, name);
    struct stat st;

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (lstat(path, &st) < 0)
        return err_set(err, ERR_NOT_FOUND, "\"%s\" is not there", path);
    if (!S_ISREG(st.st_mode)) /* a pipe would make the agent wait */
        return err_set(err, ERR_INVALID, "\"%s\" is not a file", path);
    return fs_read(path, ret, err);
}

static int move(struct spool *s, const char *dir, const char *to_dir, const char *suffix,
                struct err *err)
{
    AUTO(buf) struct buf target = BUF_INIT(8192);
    AUTO_FREE char *parent = parent_of(dir);
    int rc;

    (void)buf_addf(&target, "%s/%s%s", to_dir, last_part(dir), suffix);
    rc = rename(dir, buf_text(&target));
    if (rc < 0 && (errno == ENOTEMPTY || errno == EEXIST)) { /* the same job was kept before */
        (void)spool_discard(s, buf_text(&target), NULL);
        rc = rename(dir, buf_text(&target));
    }
    if (rc < 0)
        return errno == EXDEV ? 0
                              : err_set_errno(err, errno, "could not move \"%s\" to \"%s\"", dir,
                                              buf_text(&target));
    if (fs_sync_dir(to_dir, err) < 0)
        return -1;
    return parent ? fs_sync_dir(parent, err) : 0;
}

/* Everything in there: logs and artifacts are many files, of which only the kernel knows what is
 * on the disk already. */
static int sync_all(const char *dir, struct err *err)
{
    AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || syncfs(fd) < 0)
        return err_set_errno(err, errno, "could not sync \"%s\"", dir);
    return 0;
}

int spool_keep(struct spool *spool, const char *dir, struct err *err)
{
    if (is_in(dir, spool->results_dir)) /* it was kept before */
        return 0;
    if (sync_all(dir, err) < 0)
        return -1;
    return move(spool, dir, spool->results_dir, "", err);
}

int spool_put_aside(struct spool *spool, const char *dir, struct err *err)
{
    AUTO_FREE char *parent = parent_of(dir);

    return parent ? move(spool, dir, parent, ".refused", err) : -1;
}

/* --- finding --------------------------------------------------------------------------- */

void spool_hold(struct spool *spool, const char *dir)
{
    (void)snprintf(spool->held, sizeof(spool->held), "%s", dir ? last_part(dir) : "");
}

/* The name after the cursor among this agent's directories in dir; "" if there is none. */
static void find_in(struct spool *s, const char *dir, enum spool_kind kind, const char *cursor,
                    char best[static UUID_TEXT_SIZE], struct record *ret_record)
{
    DIR *entries = opendir(dir);
    struct dirent *entry;

    while (entries && (entry = readdir(entries))) {
        char id[UUID_TEXT_SIZE];
        struct record record;
        AUTO_FREE char *path = NULL;

        if (parse_uuid(entry->d_name, strlen(entry->d_name), id, NULL) < 0 ||
            strcmp(id, entry->d_name) != 0 || strcmp(id, cursor) <= 0 || strcmp(id, s->held) == 0 ||
            (*best && strcmp(id, best) >= 0))
            continue;
        path = fs_join(dir, id);
        if (!path || record_load(&record, path, NULL) < 0 || strcmp(record.agent, s->agent) != 0 ||
            record.over != (kind == SPOOL_OVER))
            continue;
        memcpy(best, id, UUID_TEXT_SIZE);
        *ret_record = record;
    }
    if (entries)
        (void)closedir(entries);
}

int spool_next(struct spool *spool, enum spool_kind kind, char cursor[static SPOOL_CURSOR_SIZE],
               char **ret_dir, struct record *ret_record)
{
    char waiting[UUID_TEXT_SIZE] = "";
    char left[UUID_TEXT_SIZE] = "";
    struct record other;
    bool in_run_dir;

    find_in(spool, spool->results_dir, kind, cursor, waiting, ret_record);
    find_in(spool, spool->run_dir, kind, cursor, left, &other);
    if (!*waiting && !*left)
        return 0;
    in_run_dir = *left && (!*waiting || strcmp(left, waiting) < 0);
    if (in_run_dir)
        *ret_record = other;
    *ret_dir =
        fs_join(in_run_dir ? spool->run_dir : spool->results_dir, in_run_dir ? left : waiting);
    (void)snprintf(cursor, SPOOL_CURSOR_SIZE, "%s", in_run_dir ? left : waiting);
    return *ret_dir ? 1 : 0;
}
