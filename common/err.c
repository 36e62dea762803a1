/* SPDX-License-Identifier: GPL-3.0-or-later
 * The error table and the functions that fill a struct err. */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int status;
    const char *sqlstate;
    const char *text;
} errors[ERR_COUNT] = {
    [ERR_NONE] = {200, "", "no error"},
#define ERROR(name, status, sqlstate, text) [ERR_##name] = {status, sqlstate, text},
#include "common/errors.def"
#undef ERROR
};

int(err_set)(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    if (!err)
        return -1;
    err->code = code;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return -1;
}

/* Adds ": more", cut to what fits. */
static int add_text(struct err *err, const char *more)
{
    size_t len = strlen(err->text);
    size_t room = sizeof(err->text) - len;

    if (room > 2)
        (void)snprintf(err->text + len, room, ": %.*s", (int)room - 3, more);
    return -1;
}

int(err_set_errno)(struct err *err, int errno_value, const char *format, ...)
{
    char reason[128];
    va_list args;

    if (!err)
        return -1;
    err->code = ERR_INTERNAL;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return add_text(err, strerror_r(errno_value, reason, sizeof(reason)));
}

int(err_prefix)(struct err *err, const char *format, ...)
{
    struct err before;
    va_list args;

    if (!err)
        return -1;
    before = *err;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return add_text(err, before.text);
}

int err_http_status(enum err_code code)
{
    return code < ERR_COUNT ? errors[code].status : 500;
}

const char *err_default_text(enum err_code code)
{
    return code < ERR_COUNT ? errors[code].text : "unknown error";
}

enum err_code err_from_sqlstate(const char *sqlstate)
{
    for (int code = 1; code < ERR_COUNT; code++)
        if (errors[code].sqlstate[0] && strcmp(errors[code].sqlstate, sqlstate) == 0)
            return (enum err_code)code;
    return ERR_NONE;
}
