/* SPDX-License-Identifier: GPL-3.0-or-later
 * Looking through /proc.  A process that ends meanwhile is simply not there. */
#include "agent/strays.h"

#include "common/buf.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT_MAX (4 << 20)

struct process {
    pid_t pid;
    pid_t parent;
    bool dead; /* a zombie: it needs reaping, not killing */
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

static void add_process(void *arg, pid_t pid)
{
    struct table *table = arg;
    struct buf stat = BUF_INIT(4096);
    const char *rest = NULL;
    struct process *rows;

    if (table->count == table->room) {
        rows = realloc(table->rows, (table->room + 256) * sizeof(*rows));
        if (!rows)
            return;
        table->rows = rows;
        table->room += 256;
    }
    if (read_proc(pid, "stat", &stat) == 0) /* "pid (name) state parent …"; a name may hold ")" */
        rest = strrchr(buf_text(&stat), ')');
    if (rest && strlen(rest) > 4)
        table->rows[table->count++] = (struct process){pid, (pid_t)strtol(rest + 4, NULL, 10),
                                                       rest[2] == 'Z' || rest[2] == 'X', false};
    buf_done(&stat);
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

int strays_signal(int signal, pid_t spared)
{
    struct table table = {0};
    bool found = true;
    int living = 0;

    each_process(add_process, &table);
    while (found) { /* each round goes one generation down */
        found = false;
        for (size_t i = 0; i < table.count; i++)
            if (!table.rows[i].ours && table.rows[i].pid != spared &&
                parent_is_ours(&table, &table.rows[i]))
                table.rows[i].ours = found = true;
    }
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
