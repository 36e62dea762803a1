/* SPDX-License-Identifier: GPL-3.0-or-later
 * Directories are named by job id; everything else in there is left alone. */
#include "agent/spool.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESERVE_BYTES (1024 * 1024)

struct spool {
    char *run_dir;
    char *results_dir;
    char *reserve;
    char *agent;
    int lock_fd;
};

static char *hidden_path(const char *dir, const char *agent, const char *suffix)
{
    struct buf path = BUF_INIT(8192);

    (void)buf_addf(&path, "%s/.%s.%s", dir, agent, suffix);
    return buf_take(&path);
}

static int lock(struct spool *s, struct err *err)
{
    AUTO_FREE char *path = hidden_path(s->run_dir, s->agent, "lock");

    s->lock_fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (s->lock_fd < 0)
        return err_set_errno(err, errno, "could not create a lock in \"%s\"", s->run_dir);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_CONFLICT, "another agent named \"%s\" is running in \"%s\"",
                       s->agent, s->run_dir);
    return 0;
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
             lock(s, err) == 0)
        return s;
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

int spool_make(struct spool *spool, const char *job_id, char **ret_dir, struct err *err)
{
    AUTO_FREE char *dir = fs_join(spool->run_dir, job_id);

    if (!dir)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (fs_remove_tree(dir, err) < 0)
        return -1;
    if (mkdir(dir, 0700) < 0) /* the definition in there has secrets */
        return err_set_errno(err, errno, "could not create directory \"%s\"", dir);
    *ret_dir = take_ptr(&dir);
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

static int move(const char *dir, const char *to_dir, const char *suffix, struct err *err)
{
    struct buf target = BUF_INIT(8192);
    const char *name = strrchr(dir, '/');
    int rc;

    (void)buf_addf(&target, "%s%s%s", to_dir, name ? name : "/", suffix);
    rc = rename(dir, buf_text(&target));
    if (rc < 0 && (errno == ENOTEMPTY || errno == EEXIST)) { /* the same job was kept before */
        (void)fs_remove_tree(buf_text(&target), NULL);
        rc = rename(dir, buf_text(&target));
    }
    if (rc < 0 && errno != EXDEV)
        (void)err_set_errno(err, errno, "could not move \"%s\" to \"%s\"", dir, buf_text(&target));
    else
        rc = 0;
    buf_done(&target);
    return rc;
}

int spool_keep(struct spool *spool, const char *dir, struct err *err)
{
    if (strncmp(dir, spool->results_dir, strlen(spool->results_dir)) == 0)
        return 0;
    return move(dir, spool->results_dir, "", err);
}

int spool_put_aside(struct spool *spool, const char *dir, struct err *err)
{
    const char *slash = strrchr(dir, '/');
    AUTO_FREE char *parent = strndup(dir, slash ? (size_t)(slash - dir) : 0);

    (void)spool;
    return parent ? move(dir, parent, ".refused", err) : -1;
}

/* --- finding --------------------------------------------------------------------------- */

/* The name after the cursor among this agent's directories in dir; "" if there is none. */
static void find_in(struct spool *s, const char *dir, const char *cursor, char *best,
                    struct record *ret_record)
{
    DIR *entries = opendir(dir);
    struct dirent *entry;

    while (entries && (entry = readdir(entries))) {
        char id[UUID_TEXT_SIZE];
        struct record record;
        AUTO_FREE char *path = NULL;

        if (parse_uuid(entry->d_name, strlen(entry->d_name), id, NULL) < 0 ||
            strcmp(id, entry->d_name) != 0 || strcmp(id, cursor) <= 0 ||
            (*best && strcmp(id, best) >= 0))
            continue;
        path = fs_join(dir, id);
        if (!path || record_load(&record, path, NULL) < 0 || strcmp(record.agent, s->agent) != 0)
            continue;
        memcpy(best, id, sizeof(id));
        *ret_record = record;
    }
    if (entries)
        (void)closedir(entries);
}

int spool_next(struct spool *spool, char cursor[static SPOOL_CURSOR_SIZE], char **ret_dir,
               struct record *ret_record)
{
    char waiting[UUID_TEXT_SIZE] = "";
    char left[UUID_TEXT_SIZE] = "";
    struct record other;
    bool in_run_dir;

    find_in(spool, spool->results_dir, cursor, waiting, ret_record);
    find_in(spool, spool->run_dir, cursor, left, &other);
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
