/* SPDX-License-Identifier: GPL-3.0-or-later
 * Log lines: composed on the stack, written whole.  The level, the file and the quiet flag are the
 * only state of this module; they change at start and on SIGHUP. */
#include "common/log.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct {
    const char *name;
    int priority; /* as in syslog(3), for the journal */
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", 7},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_ERROR] = {"error", 3},
};

static atomic_int current_level = LOG_LEVEL_INFO;
static atomic_bool quiet;
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two below */
static char *file_path;
static int file_fd = -1;

int log_level_parse(const char *text, enum log_level *ret_level, struct err *err)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcasecmp(text, levels[i].name) == 0) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    return err_set(err, ERR_INVALID, "unknown log level \"%s\" (debug, info, warning, error)",
                   text);
}

void log_set_level(enum log_level level)
{
    atomic_store(&current_level, (int)level);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load(&current_level);
}

void log_set_quiet(bool value)
{
    atomic_store(&quiet, value);
}

/* Takes over path, which may be NULL. */
static int set_file(char *path, struct err *err)
{
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640) : -1;

    if (path && fd < 0) {
        (void)err_set_errno(err, errno, "could not open log file \"%s\"", path);
        free(path);
        return -1;
    }
    (void)pthread_mutex_lock(&file_lock);
    if (file_fd >= 0)
        (void)close(file_fd);
    free(file_path);
    file_fd = fd;
    file_path = path;
    (void)pthread_mutex_unlock(&file_lock);
    return 0;
}

static int copy_path(const char *path, char **ret_copy, struct err *err)
{
    *ret_copy = path ? strdup(path) : NULL;
    if (path && !*ret_copy)
        return err_set(err, ERR_INTERNAL, "out of memory");
    return 0;
}

int log_set_file(const char *path, struct err *err)
{
    char *copy;

    if (copy_path(path, &copy, err) < 0)
        return -1;
    return set_file(copy, err);
}

int log_reopen(struct err *err)
{
    char *copy;
    int rc;

    (void)pthread_mutex_lock(&file_lock);
    rc = copy_path(file_path, &copy, err);
    (void)pthread_mutex_unlock(&file_lock);
    return rc < 0 ? -1 : set_file(copy, err);
}

static void write_line(const char *line, size_t len, size_t journal_skip)
{
    if (!atomic_load(&quiet) && write(STDERR_FILENO, line, len) < 0) {
        /* nowhere left to say so */
    }
    (void)pthread_mutex_lock(&file_lock);
    if (file_fd >= 0 && write(file_fd, line + journal_skip, len - journal_skip) < 0) {
        /* a full disk must not stop the program */
    }
    (void)pthread_mutex_unlock(&file_lock);
}

static size_t add_head(char *line, size_t size, enum log_level level, const char *event,
                       size_t *ret_skip)
{
    char now[CLOCK_TEXT_SIZE];
    int len = 0;

    *ret_skip = 0;
    if (getenv("JOURNAL_STREAM")) {
        len = snprintf(line, size, "<%d>", levels[level].priority);
        *ret_skip = (size_t)len;
    } else {
        clock_format_us(clock_us(&clock_system), now);
        len = snprintf(line, size, "ts=%s ", now);
    }
    len +=
        snprintf(line + len, size - (size_t)len, "level=%s event=%s ", levels[level].name, event);
    return (size_t)len < size ? (size_t)len : size - 1;
}

static void __attribute__((format(printf, 3, 0)))
log_write(enum log_level level, const char *event, const char *format, va_list args)
{
    char line[LOG_LINE_MAX];
    size_t skip;
    size_t len;
    int more;

    if (!log_enabled(level))
        return;
    len = add_head(line, sizeof(line) - 1, level, event, &skip);
    more = vsnprintf(line + len, sizeof(line) - 1 - len, format, args);
    if (more > 0)
        len += (size_t)more;
    if (len > sizeof(line) - 2)
        len = sizeof(line) - 2;
    for (size_t i = skip; i < len; i++) /* a value that was not quoted cannot forge a line either */
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    line[len++] = '\n';
    write_line(line, len, skip);
}

void log_debug(const char *event, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_write(LOG_LEVEL_DEBUG, event, format, args);
    va_end(args);
}

void log_info(const char *event, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_write(LOG_LEVEL_INFO, event, format, args);
    va_end(args);
}

void log_warning(const char *event, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_write(LOG_LEVEL_WARNING, event, format, args);
    va_end(args);
}

void log_error(const char *event, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_write(LOG_LEVEL_ERROR, event, format, args);
    va_end(args);
}

static bool is_bare(const char *text)
{
    if (!*text)
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p == 0x7f)
            return false;
    return true;
}

const char *log_value(struct log_value *ret_value, const char *text)
{
    char *out = ret_value->text;
    const char *end = ret_value->text + sizeof(ret_value->text) - 6; /* room for \xHH, quote, NUL */

    if (!text)
        text = "";
    if (is_bare(text) && strlen(text) < sizeof(ret_value->text))
        return memcpy(out, text, strlen(text) + 1);
    *out++ = '"';
    for (const unsigned char *p = (const unsigned char *)text; *p && out < end; p++) {
        if (*p == '"' || *p == '\\') {
            *out++ = '\\';
            *out++ = (char)*p;
        } else if (*p < ' ' || *p == 0x7f) {
            out += snprintf(out, 5, "\\x%02x", *p);
        } else {
            *out++ = (char)*p;
        }
    }
    *out++ = '"';
    *out = '\0';
    return ret_value->text;
}
