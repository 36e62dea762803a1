/* SPDX-License-Identifier: GPL-3.0-or-later
 * Text to values.  Every function sets its result only when it returns 0. */
#ifndef COMMON_PARSE_H
#define COMMON_PARSE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_SIZE 37

/* len bytes that are digits, perhaps behind a minus; false if they do not fit into 64 bits. */
bool parse_digits(const char *text, size_t len, int64_t *ret_value);

/* Decimal digits with an optional sign, nothing before or behind, inside 64 bits and [min, max]. */
int parse_int64(const char *text, int64_t min, int64_t max, int64_t *ret_value, struct err *err);

/* true/false, yes/no, on/off, t/f, y/n, 1/0 in any case. */
int parse_bool(const char *text, bool *ret_value, struct err *err);

/* "90", "1d5h30m", "2 hours": api.md's durations, in seconds, never negative. */
int parse_duration(const char *text, int64_t *ret_seconds, struct err *err);

/* Any spelling of a UUID (upper case, no dashes, braces, urn:uuid:); writes the canonical one. */
int parse_uuid(const char *text, size_t len, char ret_uuid[static UUID_TEXT_SIZE], struct err *err);

/* RFC 3339 / ISO 8601 date and time; without a zone it is UTC.  Microseconds since 1970. */
int parse_time(const char *text, int64_t *ret_us, struct err *err);

/* True if the len bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong). */
bool parse_utf8_valid(const char *text, size_t len);

/* A new UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits. */
int uuid_make(int64_t realtime_us, char ret_uuid[static UUID_TEXT_SIZE], struct err *err);

#endif
