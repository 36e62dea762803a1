/* SPDX-License-Identifier: GPL-3.0-or-later
 * Directories and records are named by job id; everything else in there is left alone.  What is
 * done in several steps is written down in the record first, and finished by the next run if need
 * be. */
#include "agent/spool.h"

#include "agent/lock.h"
#include "agent/owner.h"
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
#define DEFINITION    ".job" /* behind the id */

struct spool {
    char *run_dir;
    char *results_dir;
    char *records_dir; /* where outcomes are, since it must last as long as these */
    char *lost_dir;    /* of jobs whose directory is gone, or another agent's by now */
    char *reserve;
    char *agent;
    int run_lock_fd;
    int records_lock_fd;
    char held[UUID_TEXT_SIZE];
};

/* Its name is a job's id, as the agent writes it. */
static bool is_job(const char *name, char ret_id[static UUID_TEXT_SIZE])
{
    return parse_uuid(name, strlen(name), ret_id, NULL) == 0 && strcmp(ret_id, name) == 0;
}

static char *hidden_path(const char *dir, const char *agent, const char *suffix)
{
    struct buf path = BUF_INIT(8192);

    (void)buf_addf(&path, "%s/.%s.%s", dir, agent, suffix);
    return buf_take(&path);
}

/* --- where things are ------------------------------------------------------------------ */

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

static bool is_dir(const char *path)
{
    struct stat st;

    return path && lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *spool_record_path(const struct spool *spool, const char *dir)
{
    return fs_join(spool->records_dir, last_part(dir));
}

static char *definition_path(const struct spool *s, const char *dir)
{
    struct buf path = BUF_INIT(8192);

    (void)buf_addf(&path, "%s/%s" DEFINITION, s->records_dir, last_part(dir));
    return buf_take(&path);
}

/* --- beginning ------------------------------------------------------------------------- */

/* What others can write to or prepare is not believed. */
static int make_records_dir(const char *dir, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    struct stat st;

    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_set_errno(err, errno, "could not create directory \"%s\"", dir);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set_errno(err, errno, "could not open directory \"%s\"", dir);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_FORBIDDEN, "directory \"%s\" is another user's", dir);
    if (fchmod(fd, 0700) < 0)
        return err_set_errno(err, errno, "could not protect directory \"%s\"", dir);
    return 0;
}

/* A second host may share the directories, or a second process a lock directory of its own. */
static int lock(struct spool *s, struct err *err)
{
    AUTO_FREE char *path = hidden_path(s->run_dir, s->agent, "lock");
    AUTO_FREE char *records_path = fs_join(s->records_dir, "lock");

    if (!path || !records_path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (lock_take(path, s->agent, &s->run_lock_fd, err) < 0)
        return -1;
    return lock_take(records_path, s->agent, &s->records_lock_fd, err);
}

static int remove_in(const struct spool *s, const char *parent, const char *id, struct err *err)
{
    AUTO_FREE char *dir = fs_join(parent, id);

    if (!dir)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (parent != s->lost_dir && !owner_is(parent, id, s->agent))
        return 0;
    if (fs_remove_tree(dir, err) < 0)
        return -1;
    owner_clear(parent, id);
    return 0;
}

/* All but the record, which must be the last to go. */
static int remove_rest(const struct spool *s, const char *id, struct err *err)
{
    AUTO_FREE char *definition = definition_path(s, id);

    if (!definition)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (remove_in(s, s->run_dir, id, err) < 0 || remove_in(s, s->results_dir, id, err) < 0 ||
        remove_in(s, s->lost_dir, id, err) < 0)
        return -1;
    if (unlink(definition) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "could not remove \"%s\"", definition);
    return 0;
}

/* Whoever died over removing these jobs has written down that they are done. */
static void finish_removing(const struct spool *s)
{
    DIR *entries = opendir(s->records_dir);
    struct dirent *entry;

    while (entries && (entry = readdir(entries))) {
        AUTO_FREE char *path = fs_join(s->records_dir, entry->d_name);
        char id[UUID_TEXT_SIZE];
        struct record record;

        if (path && is_job(entry->d_name, id) && record_load(&record, path, NULL) == 0 &&
            record.done && remove_rest(s, id, NULL) == 0)
            (void)unlink(path);
    }
    if (entries)
        (void)closedir(entries);
}

static int set_up(struct spool *s, struct err *err)
{
    s->lost_dir = s->records_dir ? fs_join(s->records_dir, "lost") : NULL;
    if (!s->run_dir || !s->results_dir || !s->lost_dir || !s->reserve || !s->agent)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (fs_make_dirs(s->run_dir, err) < 0 || fs_make_dirs(s->results_dir, err) < 0 ||
        make_records_dir(s->records_dir, err) < 0)
        return -1;
    return lock(s, err);
}

struct spool *spool_new(const char *run_dir, const char *results_dir, const char *agent,
                        struct err *err)
{
    struct spool *s = calloc(1, sizeof(*s));

    if (!s) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    s->run_lock_fd = s->records_lock_fd = -1;
    s->run_dir = strdup(run_dir);
    s->results_dir = strdup(results_dir);
    s->records_dir = hidden_path(results_dir, agent, "records");
    s->reserve = hidden_path(run_dir, agent, "reserve");
    s->agent = strdup(agent);
    if (set_up(s, err) < 0) {
        spool_free(s);
        return NULL;
    }
    finish_removing(s);
    return s;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->run_lock_fd >= 0)
        (void)close(spool->run_lock_fd);
    if (spool->records_lock_fd >= 0)
        (void)close(spool->records_lock_fd);
    free(spool->run_dir);
    free(spool->results_dir);
    free(spool->records_dir);
    free(spool->lost_dir);
    free(spool->agent);
    free(spool->reserve);
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

static int write_record(struct spool *s, const struct record *record, const char *path,
                        struct err *err)
{
    if (record_sync(record, path, NULL) < 0) {
        (void)unlink(s->reserve); /* the disk may have become full since there was room */
        if (record_sync(record, path, err) < 0)
            return -1;
    }
    return fs_sync_dir(s->records_dir, err);
}

/* What of the job lies where it will run is removed, also an agent's that has lost it to us. */
static int make_dir(const struct spool *s, const char *dir, struct err *err)
{
    if (owner_set(s->run_dir, last_part(dir), s->agent, err) < 0 ||
        remove_rest(s, last_part(dir), err) < 0 ||
        owner_set(s->run_dir, last_part(dir), s->agent, err) < 0)
        return -1;
    if (mkdir(dir, 0700) < 0) /* the definition in there has secrets */
        return err_set_errno(err, errno, "could not create directory \"%s\"", dir);
    return fs_sync_dir(s->run_dir, err);
}

int spool_make(struct spool *spool, const char *job_id, const struct record *record, char **ret_dir,
               struct err *err)
{
    AUTO_FREE char *dir = fs_join(spool->run_dir, job_id);
    AUTO_FREE char *path = dir ? spool_record_path(spool, dir) : NULL;

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (write_record(spool, record, path, err) < 0 || make_dir(spool, dir, err) < 0) {
        (void)spool_discard(spool, dir, NULL);
        return -1;
    }
    *ret_dir = take_ptr(&dir);
    return 0;
}

int spool_discard(struct spool *spool, const char *dir, struct err *err)
{
    AUTO_FREE char *path = spool_record_path(spool, dir);
    struct record record;

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    record_init(&record);
    record.done = true;
    (void)record_sync(&record, path, NULL); /* should it fail, this agent had better not die now */
    if (remove_rest(spool, last_part(dir), err) < 0)
        return -1;
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "could not remove \"%s\"", path);
    return 0;
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

int spool_write_definition(struct spool *spool, const char *dir, const char *text, struct err *err)
{
    AUTO(buf) struct buf name = BUF_INIT(8192);

    (void)buf_addf(&name, "%s" DEFINITION, last_part(dir));
    return spool_write(spool, spool->records_dir, buf_text(&name), text, err);
}

int spool_read_definition(const struct spool *spool, const char *dir, struct buf *ret,
                          struct err *err)
{
    AUTO_FREE char *path = definition_path(spool, dir);

    return path ? fs_read_file(path, ret, err) : err_set(err, ERR_INTERNAL, "out of memory");
}

int spool_read(const char *dir, const char *name, struct buf *ret, struct err *err)
{
    AUTO_FREE char *path = fs_join(dir, name);

    return path ? fs_read_file(path, ret, err) : err_set(err, ERR_INTERNAL, "out of memory");
}

static int move(const char *dir, const char *to_dir, const char *suffix, struct err *err)
{
    AUTO(buf) struct buf target = BUF_INIT(8192);
    AUTO_FREE char *parent = parent_of(dir);
    int rc;

    (void)buf_addf(&target, "%s/%s%s", to_dir, last_part(dir), suffix);
    rc = rename(dir, buf_text(&target));
    if (rc < 0 && (errno == ENOTEMPTY || errno == EEXIST)) { /* of an earlier try of the job */
        (void)fs_remove_tree(buf_text(&target), NULL);
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
    const char *id = last_part(dir);

    if (is_in(dir, spool->results_dir)) /* it was kept before */
        return 0;
    if (!is_dir(dir) || !owner_is(spool->run_dir, id, spool->agent))
        return 0;
    if (sync_all(dir, err) < 0 || owner_set(spool->results_dir, id, spool->agent, err) < 0 ||
        move(dir, spool->results_dir, "", err) < 0)
        return -1;
    owner_clear(is_dir(dir) ? spool->results_dir : spool->run_dir, id);
    return 0;
}

int spool_put_aside(struct spool *spool, const char *dir, struct err *err)
{
    const char *parent = is_in(dir, spool->results_dir) ? spool->results_dir : spool->run_dir;
    AUTO_FREE char *path = spool_record_path(spool, dir);
    AUTO_FREE char *definition = definition_path(spool, dir);

    if (!path || !definition)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)unlink(path); /* from now on the job is nobody's; its directory has a copy of the rest */
    (void)unlink(definition);
    if (move(dir, parent, ".refused", err) < 0)
        return -1;
    owner_clear(parent, last_part(dir));
    return 0;
}

/* --- finding --------------------------------------------------------------------------- */

void spool_hold(struct spool *spool, const char *dir)
{
    (void)snprintf(spool->held, sizeof(spool->held), "%s", dir ? last_part(dir) : "");
}

/* One that was cut off when it was written is that of a job of which nothing was done yet. */
static void load(const struct spool *s, const char *id, struct record *ret_record)
{
    AUTO_FREE char *path = fs_join(s->records_dir, id);

    if (!path || record_load(ret_record, path, NULL) < 0)
        record_init(ret_record);
}

/* The id after the cursor; "" if there is none. */
static void find(const struct spool *s, enum spool_kind kind, const char *cursor,
                 char best[static UUID_TEXT_SIZE], struct record *ret_record)
{
    DIR *entries = opendir(s->records_dir);
    struct dirent *entry;

    best[0] = '\0';
    while (entries && (entry = readdir(entries))) {
        char id[UUID_TEXT_SIZE];
        struct record record;

        if (!is_job(entry->d_name, id) || strcmp(id, cursor) <= 0 || strcmp(id, s->held) == 0 ||
            (*best && strcmp(id, best) >= 0))
            continue;
        load(s, id, &record);
        if (record.done || record.over != (kind == SPOOL_OVER))
            continue;
        memcpy(best, id, UUID_TEXT_SIZE);
        *ret_record = record;
    }
    if (entries)
        (void)closedir(entries);
}

/* A job may have removed its directory, or have gone to an agent that shares ours: what is known of
 * it without is reported all the same. */
static char *locate(const struct spool *s, const char *id)
{
    const char *const parents[] = {s->results_dir, s->run_dir};
    char *dir = NULL;

    for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
        dir = fs_join(parents[i], id);
        if (is_dir(dir) && owner_is(parents[i], id, s->agent))
            return dir;
        free(dir);
    }
    dir = fs_join(s->lost_dir, id);
    (void)mkdir(s->lost_dir, 0700);
    if (dir)
        (void)mkdir(dir, 0700);
    return dir;
}

int spool_next(struct spool *spool, enum spool_kind kind, char cursor[static SPOOL_CURSOR_SIZE],
               char **ret_dir, struct record *ret_record)
{
    char id[UUID_TEXT_SIZE];

    find(spool, kind, cursor, id, ret_record);
    if (!*id)
        return 0;
    (void)snprintf(cursor, SPOOL_CURSOR_SIZE, "%s", id);
    *ret_dir = locate(spool, id);
    return *ret_dir ? 1 : 0;
}
