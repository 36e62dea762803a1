/* SPDX-License-Identifier: GPL-3.0-or-later
 * A program's options as one table: configuration file (libconfig), then TESTFLINGER_<OPTION> in
 * the environment, then the table's default.  Unknown keys, wrong types and values out of range are
 * refused with file, line and key.  --help comes from the same rows; a test compares manual and
 * sample with them.
 *
 *     static const struct option_row rows[] = {
 *         OPTION_STRING(struct config, listen, "127.0.0.1:8000", "HOST:PORT", "address to serve"),
 *         OPTION_INT(struct config, workers, "8", 1, 256, "N", "worker threads"),
 *         OPTION_END,
 *     };
 *
 * Strings and lists belong to the filled struct; option_free() frees them all. */
#ifndef COMMON_OPTION_H
#define COMMON_OPTION_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_TYPE_END,
    OPTION_TYPE_STRING, /* char * */
    OPTION_TYPE_INT,    /* int64_t, min..max */
    OPTION_TYPE_BOOL,   /* bool */
    OPTION_TYPE_LIST,   /* struct option_list: strings; in the environment separated by commas */
    OPTION_TYPE_GROUPS, /* struct option_groups: list of groups of strings, keys in .fields */
};

#define OPTION_ROWS_MAX   128
#define OPTION_LIST_MAX   1000
#define OPTION_FIELDS_MAX 4

struct option_list {
    char **items;
    size_t count;
};

struct option_groups {
    char *(*items)[OPTION_FIELDS_MAX]; /* by position in the row's fields */
    size_t count;
};

struct option_row {
    const char *name; /* key in the file */
    enum option_type type;
    size_t offset;
    const char *fallback; /* default as text; NULL: none (NULL string, 0, false, empty list) */
    int64_t min, max;
    bool required;
    const char *const *fields; /* of a group, NULL terminated; all required */
    const char *value_name;    /* for the help text */
    const char *help;
};

#define OPTION_STRING(type, field, fallback, value, help)                                          \
    {                                                                                              \
#field, OPTION_TYPE_STRING, offsetof(type, field), fallback, 0, 0, false, NULL, value,     \
            help                                                                                   \
    }
#define OPTION_REQUIRED(type, field, value, help)                                                  \
    {                                                                                              \
#field, OPTION_TYPE_STRING, offsetof(type, field), NULL, 0, 0, true, NULL, value, help     \
    }
#define OPTION_INT(type, field, fallback, min, max, value, help)                                   \
    {                                                                                              \
#field, OPTION_TYPE_INT, offsetof(type, field), fallback, min, max, false, NULL, value,    \
            help                                                                                   \
    }
#define OPTION_BOOL(type, field, fallback, help)                                                   \
    {                                                                                              \
#field, OPTION_TYPE_BOOL, offsetof(type, field), fallback, 0, 1, false, NULL, "BOOL", help \
    }
#define OPTION_LIST(type, field, required, value, help)                                            \
    {                                                                                              \
#field, OPTION_TYPE_LIST, offsetof(type, field), NULL, 0, 0, required, NULL, value, help   \
    }
#define OPTION_GROUPS(type, field, fields, help)                                                   \
    {                                                                                              \
#field, OPTION_TYPE_GROUPS, offsetof(type, field), NULL, 0, 0, false, fields, "LIST", help \
    }
#define OPTION_END                                                                                 \
    {                                                                                              \
        NULL, OPTION_TYPE_END, 0, NULL, 0, 0, false, NULL, NULL, NULL                              \
    }

/* A rule beyond type and range.  check says in *err what is wrong with the value as a predicate
 * ("is empty"); it is asked only if nothing else is wrong with this option, but others may be
 * missing. */
struct option_rule {
    const char *name;
    int (*check)(const void *filled, struct err *err);
};

/* What option_read() works with; what is NULL is left out. */
struct option_reading {
    const struct option_row *rows;
    const struct option_rule *rules; /* up to one without name */
    const char *path;
    /* called for every mistake, one line each: "FILE:LINE: option "NAME": …" */
    void (*report)(void *arg, const struct err *mistake);
    void *arg;
};

/* Fills *into (zeroed by the caller) from the file, the environment and the defaults.  Goes on
 * after a mistake to find the others; the first is in *err.  On failure *into holds nothing. */
int option_read(const struct option_reading *reading, void *into, struct err *err);

/* The same without rules; path NULL: no file. */
int option_load(const struct option_row *rows, const char *path, void *into, struct err *err);
void option_free(const struct option_row *rows, void *into);

/* For programs that fill a struct from elsewhere: a value of a string, number or BOOL, checked as
 * one of the environment would be; an entry of a list; a group, its texts in the order of the row's
 * fields. */
int option_set_text(const struct option_row *row, void *into, const char *text, struct err *err);
int option_add_entry(struct option_list *list, const char *text, struct err *err);
int option_add_group(struct option_groups *groups, const struct option_row *row,
                     const char *const *texts, struct err *err);

/* Adds the option as a configuration file has it, "name = value;", so that it reads as the same. */
int option_write(const struct option_row *row, const void *from, struct buf *out);

/* One line for each option: name, value, what it is for, default. */
void option_print_help(const struct option_row *rows, FILE *out);

/* Prints a commented sample file with every option at its default. */
void option_print_sample(const struct option_row *rows, FILE *out);

#endif
