/* SPDX-License-Identifier: GPL-3.0-or-later
 * Structured logs: one logfmt line per call, written with one write(2).
 *
 *     log_info("request", "id=%s status=%d", id, status);
 *     -> ts=2026-01-31T12:34:56.789012+00:00 level=info event=request id=… status=200
 *
 * When stderr goes to the journal (JOURNAL_STREAM) the time is left out and a "<6>" priority is put
 * in front.  Values that users chose go through LOG_VALUE, which quotes them and escapes what could
 * forge a line.  Only main(), the top of a request and the top of a job log (style: who logs).
 * Safe to call from every thread. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

#define LOG_LINE_MAX  4096
#define LOG_VALUE_MAX 512

/* Parses "debug", "info", "warning" or "error", in any case. */
int log_level_parse(const char *text, enum log_level *ret_level, struct err *err);

void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/* Also appends every line to this file; NULL goes back to stderr alone.  log_reopen() opens the
 * same path again after it was moved away (SIGHUP). */
int log_set_file(const char *path, struct err *err);
int log_reopen(struct err *err);
/* Nothing goes to stderr any more (only the file, if one is set). */
void log_set_quiet(bool quiet);

void log_debug(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes text as a logfmt value: bare if it can be, else in quotes with escapes; cut when long. */
struct log_value {
    char text[LOG_VALUE_MAX];
};
const char *log_value(struct log_value *ret_value, const char *text);
#define LOG_VALUE(text) log_value(&(struct log_value){{0}}, (text))

#endif
