/* SPDX-License-Identifier: GPL-3.0-or-later
 * What went wrong, said once, at the place that knows.
 *
 * A function that can fail returns -1 and fills the struct err it was given as last argument; on
 * success it leaves it untouched.  A struct err owns nothing and may be copied or forgotten. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stddef.h>

#define ERR_TEXT_SIZE 512

enum err_code {
    ERR_NONE = 0,
#define ERROR(name, status, sqlstate, text) ERR_##name,
#include "common/errors.def"
#undef ERROR
    ERR_COUNT
};

struct err {
    enum err_code code;
    char text[ERR_TEXT_SIZE];
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        .code = ERR_NONE                                                                           \
    }

/* Fills *err (which may be NULL) and returns -1.  Text too long is cut. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, and adds ": " and the reason for errno_value. */
int err_set_errno(struct err *err, int errno_value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "text: " before what *err already says; returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

int err_http_status(enum err_code code);
const char *err_default_text(enum err_code code);

/* The compiler cannot look into another file: told that these always return -1, it does not take
 * what a failed call leaves unset for used. */
static inline int err_failure(int minus_one)
{
    (void)minus_one;
    return -1;
}
#define err_set(...)       err_failure(err_set(__VA_ARGS__))
#define err_set_errno(...) err_failure(err_set_errno(__VA_ARGS__))
#define err_prefix(...)    err_failure(err_prefix(__VA_ARGS__))

/* The code for a five-letter SQLSTATE, ERR_NONE if the table has none. */
enum err_code err_from_sqlstate(const char *sqlstate);

#endif
