/* SPDX-License-Identifier: GPL-3.0-or-later
 * The kernel's interface is files: each function here reads or writes one or two of them. */
#include "agent/cgroup.h"

#include "common/cleanup.h"
#include "common/fs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TEXT_MAX    (256 * 1024) /* of a file of /proc, or a list of processes */
#define PATH_SIZE   4096
#define DEPTH_MAX   20
#define CLEAR_TRIES 200
#define CLEAR_MS    5

struct cgroup {
    char *parent;
    char *dir;
    struct cgroup_limits limits;
    int door;
};

static int read_file(const char *dir, const char *name, struct buf *ret, struct err *err)
{
    AUTO_FREE char *path = fs_join(dir, name);

    return path ? fs_read(path, ret, err) : err_set(err, ERR_INTERNAL, "out of memory");
}

static int write_file(const char *dir, const char *name, const char *text, struct err *err)
{
    AUTO_FREE char *path = fs_join(dir, name);
    AUTO_CLOSE int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return err_set_errno(err, errno, "could not write \"%s\" to \"%s/%s\"", text, dir, name);
    return 0;
}

/* --- whose group is it ----------------------------------------------------------------- */

/* The line "0::/path" of /proc/self/cgroup. */
static int own_path(char ret_path[static PATH_SIZE], struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(TEXT_MAX);
    const char *line;

    if (read_file("/proc/self", "cgroup", &text, err) < 0)
        return -1;
    line = strncmp(buf_text(&text), "0::", 3) == 0 ? buf_text(&text)
                                                   : strstr(buf_text(&text), "\n0::");
    if (!line)
        return err_set(err, ERR_NOT_FOUND, "this system has no control groups of version 2");
    line += *line == '\n' ? 4 : 3;
    (void)snprintf(ret_path, PATH_SIZE, "%.*s", (int)strcspn(line, "\n"), line);
    return 0;
}

/* "36 25 0:31 /root /sys/fs/cgroup rw,… - cgroup2 …": root and mount point. */
static int mount_point(char ret_root[static PATH_SIZE], char ret_point[static PATH_SIZE],
                       struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(TEXT_MAX);
    char *rest;

    if (read_file("/proc/self", "mountinfo", &text, err) < 0)
        return -1;
    for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strstr(line, " - cgroup2 ") &&
            sscanf(line, "%*s %*s %*s %4095s %4095s", ret_root, ret_point) == 2)
            return 0;
    return err_set(err, ERR_NOT_FOUND, "no file system of control groups is mounted");
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* systemd marks what it has handed over, and minds when the rest is divided. */
static bool is_systemds(const char *dir)
{
    static const char *const marks[] = {"trusted.delegate", "user.delegate"};
    char value[2];

    if (!ends_with(dir, ".service") && !ends_with(dir, ".scope") && !ends_with(dir, ".slice"))
        return false;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (getxattr(dir, marks[i], value, sizeof(value)) >= 1 && value[0] == '1')
            return false;
    return true;
}

int cgroup_find(struct buf *ret_dir, struct err *err)
{
    char path[PATH_SIZE];
    char root[PATH_SIZE];
    char point[PATH_SIZE];
    size_t root_len;

    if (own_path(path, err) < 0 || mount_point(root, point, err) < 0)
        return -1;
    root_len = strcmp(root, "/") == 0 ? 0 : strlen(root); /* a container sees a part of it */
    if (strncmp(path, root, root_len) != 0)
        root_len = 0;
    (void)buf_addf(ret_dir, "%s%s", point,
                   strcmp(path + root_len, "/") == 0 ? "" : path + root_len);
    if (is_systemds(buf_text(ret_dir)))
        return err_set(err, ERR_INVALID, "systemd has not handed over \"%s\" (Delegate=yes)",
                       buf_text(ret_dir));
    if (access(buf_text(ret_dir), W_OK) < 0)
        return err_set_errno(err, errno, "may not divide \"%s\"", buf_text(ret_dir));
    return 0;
}

/* --- making and removing --------------------------------------------------------------- */

/* Groups that a job has made in its own are removed first. */
static int remove_group(const char *dir, int depth)
{
    DIR *entries = depth < DEPTH_MAX ? opendir(dir) : NULL;
    struct dirent *entry;

    while (entries && (entry = readdir(entries))) {
        AUTO_FREE char *path = NULL;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        path = fs_join(dir, entry->d_name);
        if (path)
            (void)remove_group(path, depth + 1);
    }
    if (entries)
        (void)closedir(entries);
    return rmdir(dir);
}

/* What an agent that was killed left there. */
static int clear(const struct cgroup *c, struct err *err)
{
    for (int i = 0; i < CLEAR_TRIES; i++) {
        cgroup_kill(c);
        if (remove_group(c->dir, 0) == 0 || errno == ENOENT)
            return 0;
        (void)poll(NULL, 0, CLEAR_MS);
    }
    return err_set_errno(err, errno, "could not clear \"%s\"", c->dir);
}

/* A controller is for groups whose parent has no processes of its own: alone in there, the agent
 * moves one level down. */
static int make_way(const struct cgroup *c, struct err *err)
{
    AUTO(buf) struct buf list = BUF_INIT(TEXT_MAX);
    AUTO(buf) struct buf dir = BUF_INIT(PATH_SIZE);
    char own[32];

    if (read_file(c->parent, "cgroup.procs", &list, err) < 0)
        return -1;
    (void)snprintf(own, sizeof(own), "%ld\n", (long)getpid());
    if (strcmp(buf_text(&list), own) != 0)
        return err_set(err, ERR_INVALID, "the agent is not alone in \"%s\"", c->parent);
    (void)buf_addf(&dir, "%s.agent", c->dir);
    if (mkdir(buf_text(&dir), 0755) < 0 && errno != EEXIST)
        return err_set_errno(err, errno, "could not create \"%s\"", buf_text(&dir));
    return write_file(buf_text(&dir), "cgroup.procs", own, err);
}

static void enable(const struct cgroup *c, const char *controller, const char *option,
                   struct buf *ret_unset)
{
    char text[32];
    struct err err = ERR_INIT;

    (void)snprintf(text, sizeof(text), "+%s", controller);
    if (write_file(c->parent, "cgroup.subtree_control", text, &err) == 0 ||
        (errno == EBUSY && make_way(c, &err) == 0 &&
         write_file(c->parent, "cgroup.subtree_control", text, &err) == 0))
        return;
    (void)buf_addf(ret_unset, "%s%s: %s", ret_unset->len ? "; " : "", option, err.text);
}

/* Letters, digits, "-", "_" and "." as they are, else %XX. */
static char *group_path(const char *parent, const char *agent)
{
    struct buf path = BUF_INIT(PATH_SIZE);

    (void)buf_addf(&path, "%s/testflinger-", parent);
    for (const char *c = agent; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("-_.", *c))
            (void)buf_addc(&path, *c);
        else
            (void)buf_addf(&path, "%%%02X", (unsigned char)*c);
    }
    return buf_take(&path);
}

struct cgroup *cgroup_new(const char *dir, const char *agent, const struct cgroup_limits *limits,
                          struct buf *ret_unset, struct err *err)
{
    struct cgroup *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    *c = (struct cgroup){strdup(dir), group_path(dir, agent), *limits, -1};
    if (!c->parent || !c->dir)
        abort();
    if (clear(c, err) < 0 || cgroup_make(c, err) < 0) {
        cgroup_free(c);
        return NULL;
    }
    cgroup_remove(c);
    if (limits->memory_max > 0)
        enable(c, "memory", "memory_max", ret_unset);
    if (limits->pids_max > 0)
        enable(c, "pids", "pids_max", ret_unset);
    return c;
}

void cgroup_free(struct cgroup *cgroup)
{
    if (!cgroup)
        return;
    (void)clear(cgroup, NULL);
    cgroup_remove(cgroup);
    free(cgroup->parent);
    free(cgroup->dir);
    free(cgroup);
}

static void set_limit(const struct cgroup *c, const char *name, int64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    if (value > 0) /* if the controller is not there that was said at the start */
        (void)write_file(c->dir, name, text, NULL);
}

int cgroup_make(struct cgroup *cgroup, struct err *err)
{
    AUTO_FREE char *procs = fs_join(cgroup->dir, "cgroup.procs");

    if (cgroup->door >= 0)
        return 0;
    if (mkdir(cgroup->dir, 0755) < 0 && errno != EEXIST)
        return err_set_errno(err, errno, "could not create \"%s\"", cgroup->dir);
    set_limit(cgroup, "memory.max", cgroup->limits.memory_max);
    set_limit(cgroup, "pids.max", cgroup->limits.pids_max);
    cgroup->door = procs ? open(procs, O_WRONLY | O_CLOEXEC) : -1;
    if (cgroup->door < 0)
        return err_set_errno(err, errno, "could not open \"%s/cgroup.procs\"", cgroup->dir);
    return 0;
}

int cgroup_door(const struct cgroup *cgroup)
{
    return cgroup->door;
}

static int64_t value_of(const struct cgroup *c, const char *file, const char *key)
{
    AUTO(buf) struct buf text = BUF_INIT(TEXT_MAX);
    const char *at;

    if (read_file(c->dir, file, &text, NULL) < 0)
        return 0;
    at = strstr(buf_text(&text), key);
    return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

bool cgroup_is_populated(const struct cgroup *cgroup)
{
    return value_of(cgroup, "cgroup.events", "populated ") != 0;
}

int64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
    return value_of(cgroup, "memory.events", "oom_kill ");
}

void cgroup_kill(const struct cgroup *cgroup)
{
    (void)write_file(cgroup->dir, "cgroup.kill", "1", NULL);
}

void cgroup_remove(struct cgroup *cgroup)
{
    if (cgroup->door >= 0)
        (void)close(cgroup->door);
    cgroup->door = -1;
    (void)remove_group(cgroup->dir, 0);
}
