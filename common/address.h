/* SPDX-License-Identifier: GPL-3.0-or-later
 * What counts as a URL and as an e-mail address in request bodies (docs/protocol.md). */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>

/* An absolute http, https, ftp or ftps URL whose host is a dotted name, "localhost", an IPv4
 * address or an IPv6 address in brackets. */
bool address_is_url(const char *text);

/* user@host with a dotted host name or "localhost". */
bool address_is_email(const char *text);

#endif
