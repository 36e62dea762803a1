/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reading and writing of cookie values. */
#include "server/http/cookie.h"

#include "common/parse.h"

#include <stdbool.h>
#include <string.h>

static bool is_octal(const char *text)
{
    return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' && text[2] >= '0' &&
           text[2] <= '7';
}

/* Writes at most size bytes of what len bytes inside quotes stand for; returns how many. */
static size_t unquote(const char *text, size_t len, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < len && n < size; i++) {
        if (text[i] == '\\' && len - i > 3 && is_octal(text + i + 1)) {
            out[n++] =
                (char)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
            i += 3;
        } else if (text[i] == '\\' && i + 1 < len) {
            out[n++] = text[++i];
        } else {
            out[n++] = text[i];
        }
    }
    return n;
}

static int read_value(const char *text, size_t len, char *ret_value, size_t size, struct err *err)
{
    size_t n;

    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        n = unquote(text + 1, len - 2, ret_value, size);
    } else {
        n = len < size ? len : size;
        memcpy(ret_value, text, n);
    }
    if (n == size)
        return err_set(err, ERR_BAD_REQUEST, "value of a cookie is too long");
    ret_value[n] = '\0';
    if (memchr(ret_value, '\0', n) || !parse_utf8_valid(ret_value, n))
        return err_set(err, ERR_BAD_REQUEST, "value of a cookie is not a text");
    return 1;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

int cookie_find(const char *header, const char *name, char *ret_value, size_t size, struct err *err)
{
    size_t name_len = strlen(name);

    for (const char *p = skip_blanks(header); *p; p = skip_blanks(p)) {
        size_t len = strcspn(p, ";");

        if (len > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=') {
            p += name_len + 1;
            len -= name_len + 1;
            while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
                len--;
            return read_value(p, len, ret_value, size, err);
        }
        p += len;
        if (*p == ';')
            p++;
    }
    return 0;
}

static bool is_bare(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("_!#$%&'()*+-./:<=>?@^|{}~[]`", c));
}

static bool all_bare(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!is_bare((unsigned char)*text))
            return false;
    return true;
}

int cookie_add_value(struct buf *b, const char *value)
{
    if (all_bare(value))
        return buf_adds(b, value);
    (void)buf_addc(b, '"');
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p == '"' || *p == '\\')
            (void)buf_addf(b, "\\%c", *p);
        else if (*p < ' ' || *p >= 0x7f || *p == ',' || *p == ';')
            (void)buf_addf(b, "\\%03o", (unsigned)*p);
        else
            (void)buf_addc(b, (char)*p);
    }
    (void)buf_addc(b, '"');
    return buf_failed(b) ? -1 : 0;
}
