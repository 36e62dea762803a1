/* SPDX-License-Identifier: GPL-3.0-or-later
 * One line, one write(2): lines of several threads do not mix. */
#include "server/audit.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct audit {
    enum log_level level;
    char *path;           /* NULL: the ordinary log */
    pthread_mutex_t lock; /* guards fd */
    int fd;
};

static const struct {
    enum log_level level;
    const char *text;
} events[] = {
#define AUDIT(name, level, text) {LOG_LEVEL_##level, text},
#include "server/audit.def"
#undef AUDIT
};

static int open_file(const char *path, int *ret_fd, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set_errno(err, errno, "could not open the security log \"%s\"", path);
    *ret_fd = fd;
    return 0;
}

struct audit *audit_new(const char *path, enum log_level level, struct err *err)
{
    struct audit *audit = calloc(1, sizeof(*audit));

    if (audit) {
        *audit = (struct audit){.level = level, .fd = -1, .path = path ? strdup(path) : NULL};
        (void)pthread_mutex_init(&audit->lock, NULL);
    }
    if (!audit || (path && !audit->path))
        (void)err_set(err, ERR_INTERNAL, "out of memory");
    else if (!path || open_file(path, &audit->fd, err) == 0)
        return audit;
    audit_free(audit);
    return NULL;
}

void audit_free(struct audit *audit)
{
    if (!audit)
        return;
    if (audit->fd >= 0)
        (void)close(audit->fd);
    (void)pthread_mutex_destroy(&audit->lock);
    free(audit->path);
    free(audit);
}

int audit_reopen(struct audit *audit, struct err *err)
{
    int fd;

    if (!audit || !audit->path)
        return 0;
    if (open_file(audit->path, &fd, err) < 0)
        return -1;
    (void)pthread_mutex_lock(&audit->lock);
    (void)close(audit->fd);
    audit->fd = fd;
    (void)pthread_mutex_unlock(&audit->lock);
    return 0;
}

static void add_value(struct buf *line, const char *key, const char *value)
{
    (void)buf_addf(line, " %s=%s", key, value && *value ? LOG_VALUE(value) : "-");
}

static void add_fields(struct buf *line, const struct audit_entry *entry)
{
    (void)buf_addf(line, "what=%s", events[entry->what].text);
    add_value(line, "client", entry->client);
    add_value(line, "role", entry->role);
    if (entry->about)
        add_value(line, "about", entry->about);
    add_value(line, "peer", entry->peer);
    if (entry->from)
        add_value(line, "from", entry->from);
    add_value(line, "id", entry->request_id);
    add_value(line, "method", entry->method);
    add_value(line, "path", entry->path);
    (void)buf_addf(line, " status=%d", entry->status);
    if (entry->reason)
        add_value(line, "reason", entry->reason);
}

static void write_file(struct audit *audit, enum audit_what what, const char *fields)
{
    AUTO(buf) struct buf line = BUF_INIT(2 * LOG_LINE_MAX);
    char now[CLOCK_TEXT_SIZE];

    clock_format_us(clock_us(&clock_system), now);
    (void)buf_addf(&line, "ts=%s level=%s event=security %s\n", now,
                   events[what].level == LOG_LEVEL_INFO ? "info" : "warning", fields);
    (void)pthread_mutex_lock(&audit->lock);
    if (write(audit->fd, buf_text(&line), line.len) < 0) {
        /* a full disk must not stop the program */
    }
    (void)pthread_mutex_unlock(&audit->lock);
}

void audit_write(struct audit *audit, const struct audit_entry *entry)
{
    AUTO(buf) struct buf fields = BUF_INIT(2 * LOG_LINE_MAX);
    enum log_level level;

    if (!audit || events[entry->what].level < audit->level)
        return;
    level = events[entry->what].level;
    add_fields(&fields, entry);
    if (audit->path)
        write_file(audit, entry->what, buf_text(&fields));
    else if (level == LOG_LEVEL_INFO)
        log_info("security", "%s", buf_text(&fields));
    else
        log_warning("security", "%s", buf_text(&fields));
}
