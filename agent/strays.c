/* SPDX-License-Identifier: GPL-3.0-or-later
 * Looking through /proc.  A process that ends meanwhile is simply not there. */
#include "agent/strays.h"

#include "common/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENVIRONMENT_MAX (4 << 20)

#define STAT_PARENT 1 /* fields of /proc/<pid>/stat, from its state on */
#define STAT_BEGAN  19

struct stray {
    pid_t pid;
    unsigned long long began; /* in ticks since the machine started */
};

struct process {
    pid_t pid;
    pid_t parent;
    unsigned long long began;
    bool dead; /* a zombie: it needs reaping, not killing */
    bool spared;
    bool ours;
};

struct table {
    struct process *rows;
    size_t count;
    size_t room;
};

static int read_proc(pid_t pid, const char *name, struct buf *ret_text)
{
    char path[64];
    char piece[4096];
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while ((n = read(fd, piece, sizeof(piece))) > 0)
        if (buf_add(ret_text, piece, (size_t)n) < 0)
            break;
    (void)close(fd);
    return 0;
}

/* Calls visit for every process but this one. */
static void each_process(void (*visit)(void *arg, pid_t pid), void *arg)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    while (proc && (entry = readdir(proc))) {
        long pid = strtol(entry->d_name, NULL, 10); /* 0 for what is no process */

        if (pid > 0 && (pid_t)pid != getpid())
            visit(arg, (pid_t)pid);
    }
    if (proc)
        (void)closedir(proc);
}

/* "pid (name) state parent …"; a name may hold ")" and spaces. */
static bool parse_stat(const char *text, struct process *ret_process)
{
    const char *at = strrchr(text, ')');

    if (!at || strlen(at) < 4)
        return false;
    at += 2;
    ret_process->dead = *at == 'Z' || *at == 'X';
    for (int field = 0; field < STAT_BEGAN; field++) {
        if (field == STAT_PARENT)
            ret_process->parent = (pid_t)strtol(at, NULL, 10);
        at = strchr(at, ' ');
        if (!at)
            return false;
        at++;
    }
    ret_process->began = strtoull(at, NULL, 10);
    return true;
}

static void add_process(void *arg, pid_t pid)
{
    struct table *table = arg;
    struct buf stat = BUF_INIT(4096);
    struct process process = {.pid = pid};
    struct process *rows;

    if (table->count == table->room) {
        rows = realloc(table->rows, (table->room + 256) * sizeof(*rows));
        if (!rows)
            return;
        table->rows = rows;
        table->room += 256;
    }
    if (read_proc(pid, "stat", &stat) == 0 && parse_stat(buf_text(&stat), &process))
        table->rows[table->count++] = process;
    buf_done(&stat);
}

static bool is_spared(const struct strays *spared, const struct process *process)
{
    for (size_t i = 0; spared && i < spared->count; i++)
        if (spared->items[i].pid == process->pid && spared->items[i].began == process->began)
            return true;
    return false;
}

static bool parent_is_ours(const struct table *table, const struct process *process)
{
    if (process->parent == getpid())
        return true;
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].ours && table->rows[i].pid == process->parent)
            return true;
    return false;
}

/* Orphans among the descendants are children of this process (see runner.h): without children there
 * are no descendants, and reading all of /proc takes longer than a short phase. */
static bool has_children(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/* Every process there is, with the descendants of this one marked; nothing if it has none.  What is
 * spared is not marked, and so nothing is that it started. */
static void look(struct table *table, const struct strays *spared)
{
    bool found = true;

    if (!has_children())
        return;
    each_process(add_process, table);
    for (size_t i = 0; i < table->count; i++)
        table->rows[i].spared = is_spared(spared, &table->rows[i]);
    while (found) { /* each round goes one generation down */
        found = false;
        for (size_t i = 0; i < table->count; i++)
            if (!table->rows[i].ours && !table->rows[i].spared &&
                parent_is_ours(table, &table->rows[i]))
                table->rows[i].ours = found = true;
    }
}

void strays_note(struct strays *strays)
{
    struct table table = {0};

    strays_done(strays);
    look(&table, NULL);
    strays->items = table.count ? malloc(table.count * sizeof(*strays->items)) : NULL;
    for (size_t i = 0; strays->items && i < table.count; i++)
        if (table.rows[i].ours && !table.rows[i].dead)
            strays->items[strays->count++] = (struct stray){table.rows[i].pid, table.rows[i].began};
    free(table.rows);
}

void strays_add(struct strays *strays, pid_t pid)
{
    struct table table = {0};
    struct stray *items = realloc(strays->items, (strays->count + 1) * sizeof(*items));

    if (!items)
        return;
    strays->items = items;
    add_process(&table, pid);
    if (table.count > 0)
        items[strays->count++] = (struct stray){pid, table.rows[0].began};
    free(table.rows);
}

void strays_done(struct strays *strays)
{
    free(strays->items);
    *strays = (struct strays){NULL, 0};
}

int strays_signal(const struct strays *spared, int signal)
{
    struct table table = {0};
    int living = 0;

    look(&table, spared);
    for (size_t i = 0; i < table.count; i++) {
        if (!table.rows[i].ours || table.rows[i].dead)
            continue;
        living++;
        if (signal)
            (void)kill(table.rows[i].pid, signal);
    }
    free(table.rows);
    return living;
}

struct marked {
    const char *entry;
    int signal;
    int living;
};

static void signal_if_marked(void *arg, pid_t pid)
{
    struct marked *marked = arg;
    struct buf environment = BUF_INIT(ENVIRONMENT_MAX);
    size_t len = strlen(marked->entry);
    const char *at;
    const char *end;

    if (read_proc(pid, "environ", &environment) == 0) {
        at = buf_text(&environment);
        for (end = at + environment.len; at < end; at += strlen(at) + 1)
            if (strncmp(at, marked->entry, len) == 0 && at[len] == '\0') {
                marked->living++;
                if (marked->signal)
                    (void)kill(pid, marked->signal);
                break;
            }
    }
    buf_done(&environment);
}

int strays_signal_marked(const char *entry, int signal)
{
    struct marked marked = {entry, signal, 0};

    each_process(signal_if_marked, &marked);
    return marked.living;
}
