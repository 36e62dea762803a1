/* SPDX-License-Identifier: GPL-3.0-or-later
 * Syntax of URLs and e-mail addresses, as strict as today's clients know it.  Bytes beyond ASCII
 * count as letters: international names are allowed, and nothing here resolves them. */
#include "common/address.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX 63

static bool is_word(unsigned char c)
{
    return isalnum(c) || c >= 0x80;
}

/* Length of a host label: letters, digits and hyphens, the hyphens inside only.  0: none. */
static size_t label_len(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && (is_word((unsigned char)text[n]) || text[n] == '-'))
        n++;
    if (n == 0 || n > LABEL_MAX || text[0] == '-' || text[n - 1] == '-')
        return 0;
    return n;
}

static bool is_dotted_name(const char *text, size_t len)
{
    size_t labels = 0, at = 0, last = 0;

    while (at < len) {
        last = label_len(text + at, len - at);
        if (last == 0)
            return false;
        labels++;
        at += last;
        if (at == len)
            break;
        if (text[at++] != '.')
            return false;
    }
    return labels >= 2 && last >= 2; /* a final dot is fine, a last label of one letter is not */
}

/* Four groups of one to three digits, as lenient as the clients' own check. */
static bool is_ipv4(const char *text, size_t len)
{
    size_t at = 0;

    for (int group = 0; group < 4; group++) {
        size_t digits = 0;

        while (at < len && isdigit((unsigned char)text[at]))
            at++, digits++;
        if (digits < 1 || digits > 3)
            return false;
        if (group < 3 && (at >= len || text[at++] != '.'))
            return false;
    }
    return at == len;
}

static bool is_ipv6(const char *text, size_t len)
{
    if (len < 4 || text[0] != '[' || text[len - 1] != ']' || !memchr(text, ':', len))
        return false;
    for (size_t i = 1; i < len - 1; i++)
        if (!isxdigit((unsigned char)text[i]) && text[i] != ':')
            return false;
    return true;
}

static bool is_localhost(const char *text, size_t len)
{
    return len == 9 && strncasecmp(text, "localhost", len) == 0;
}

static bool is_host(const char *text, size_t len)
{
    return is_localhost(text, len) || is_ipv4(text, len) || is_ipv6(text, len) ||
           is_dotted_name(text, len);
}

/* Cuts ":8080" off; a colon without digits is left, and then no host matches. */
static size_t without_port(const char *text, size_t len)
{
    size_t at = len;

    while (at > 0 && isdigit((unsigned char)text[at - 1]))
        at--;
    return at < len && at > 0 && text[at - 1] == ':' ? at - 1 : len;
}

bool address_is_url(const char *text)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://", "ftps://", NULL};
    const char *host, *end, *user_end;

    for (size_t i = 0; schemes[i]; i++) {
        size_t len = strlen(schemes[i]);

        if (strncasecmp(text, schemes[i], len) != 0)
            continue;
        host = text + len;
        end = host + strcspn(host, "/?");
        user_end = memrchr(host, '@', (size_t)(end - host));
        if (user_end)
            host = user_end + 1;
        return !strpbrk(text, " \t\r\n\v\f") &&
               is_host(host, without_port(host, (size_t)(end - host)));
    }
    return false;
}

/* A port's digits as they are usually written: 1 to 5 of them, no zero in front. */
static bool is_port(const char *text, size_t len)
{
    if (len == 0 || len > 5 || text[0] == '0')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return true;
}

int address_origin(const char *url, char ret_origin[static ADDRESS_ORIGIN_SIZE])
{
    bool tls = strncasecmp(url, "https://", 8) == 0;
    const char *host = url + (tls ? 8 : 7), *port = tls ? "443" : "80";
    size_t len, host_len, port_len = strlen(port);
    int written;

    if (!tls && strncasecmp(url, "http://", 7) != 0)
        return -1;
    len = strcspn(host, "/?#");
    host_len = without_port(host, len);
    if (host_len < len) {
        port = host + host_len + 1;
        port_len = len - host_len - 1;
    }
    if (!is_host(host, host_len) || !is_port(port, port_len))
        return -1;
    written = snprintf(ret_origin, ADDRESS_ORIGIN_SIZE, "%s://%.*s:%.*s", tls ? "https" : "http",
                       (int)host_len, host, (int)port_len, port);
    if (written < 0 || written >= ADDRESS_ORIGIN_SIZE)
        return -1;
    for (char *p = ret_origin; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return 0;
}

static bool is_port_number(const char *text, size_t len)
{
    return is_port(text, len) && (len < 5 || strncmp(text, "65535", 5) <= 0);
}

/* A name as resolvers take it. */
static bool is_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_word((unsigned char)text[i]) && !strchr("-._", text[i]))
            return false;
    return len > 0 && len <= 253 && text[0] != '.' && text[0] != '-';
}

bool address_is_server(const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *host = scheme ? scheme + 3 : text;
    size_t len = strcspn(host, "/"), host_len = without_port(host, len);

    if (scheme && strncasecmp(text, "http:", 5) != 0 && strncasecmp(text, "https:", 6) != 0)
        return false;
    if (strpbrk(text, " \t\r\n\v\f?#@\\"))
        return false;
    if (host_len < len && !is_port_number(host + host_len + 1, len - host_len - 1))
        return false;
    return is_ipv6(host, host_len) || is_name(host, host_len);
}

bool address_is_email(const char *text)
{
    const char *at = strrchr(text, '@');
    const char *domain = at ? at + 1 : NULL;
    char before = '.'; /* a dot neither begins nor follows a dot */

    if (!at || at == text)
        return false;
    for (const char *p = text; p < at; p++) {
        if (*p == '.' ? before == '.'
                      : !is_word((unsigned char)*p) && !strchr("-!#$%&'*+/=?^_`{}|~", *p))
            return false;
        before = *p;
    }
    if (before == '.' || domain[strlen(domain) ? strlen(domain) - 1 : 0] == '.')
        return false;
    return is_localhost(domain, strlen(domain)) || is_dotted_name(domain, strlen(domain));
}
