/* SPDX-License-Identifier: GPL-3.0-or-later
 * What counts as a URL and as an e-mail address in request bodies (docs/protocol.md). */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>

#define ADDRESS_ORIGIN_SIZE 300

/* An absolute http, https, ftp or ftps URL whose host is a dotted name, "localhost", an IPv4
 * address or an IPv6 address in brackets. */
bool address_is_url(const char *text);

/* Writes where a http or https URL leads to, as "http://host:80": in lower case, the port always
 * there.  -1 if it is no such URL or names a user.  Whatever stands for another place for anybody
 * who reads the URL has another origin. */
int address_origin(const char *url, char ret_origin[static ADDRESS_ORIGIN_SIZE]);

/* A server as programs are told of it: host, host:port or a http or https URL without a query.  Any
 * host name will do, one without dots too. */
bool address_is_server(const char *text);

/* user@host with a dotted host name or "localhost". */
bool address_is_email(const char *text);

#endif
