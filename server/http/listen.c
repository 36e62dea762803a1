/* SPDX-License-Identifier: GPL-3.0-or-later
 * HOST:PORT to a socket. */
#include "server/http/listen.h"

#include "common/cleanup.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_MAX    256
#define KEEPALIVE_S 15

struct host_port {
    char host[HOST_MAX]; /* empty: every address */
    char port[8];
};

static int split(const char *address, struct host_port *ret, struct err *err)
{
    const char *colon = strrchr(address, ':');
    const char *host = address;
    size_t len = colon ? (size_t)(colon - address) : 0;

    if (colon && len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (!colon || len >= sizeof(ret->host) || strlen(colon + 1) >= sizeof(ret->port) || !colon[1] ||
        colon[1 + strspn(colon + 1, "0123456789")])
        return err_set(err, ERR_INVALID, "address \"%s\" is not of the form HOST:PORT", address);
    memcpy(ret->host, host, len);
    ret->host[len] = '\0';
    if (strcmp(ret->host, "*") == 0)
        ret->host[0] = '\0';
    (void)snprintf(ret->port, sizeof(ret->port), "%s", colon + 1);
    return 0;
}

/* Connections inherit these.  One whose far end lost its power says nothing: without them a request
 * that waits would be parked until its deadline, and an agent that is gone handed a job. */
static void notice_dead_peers(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_S / 3},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 2 * KEEPALIVE_S * 1000}, /* ms, of what was sent */
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof(options[i].value));
}

static int bind_one(const struct addrinfo *info)
{
    AUTO_CLOSE int fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                               info->ai_protocol);
    int on = 1;
    int off = 0;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -1;
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)); /* serve IPv4 as well */
    notice_dead_peers(fd);
    if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
        return -1;
    return take_fd(&fd);
}

static int bind_first(const struct host_port *where, struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list;
    int fd = -1;
    int rc = getaddrinfo(where->host[0] ? where->host : NULL, where->port, &hints, &list);
    int saved = 0;

    if (rc != 0)
        return err_set(err, ERR_INVALID, "could not find address \"%s\": %s", where->host,
                       gai_strerror(rc));
    for (const struct addrinfo *info = list; info && fd < 0; info = info->ai_next) {
        fd = bind_one(info);
        saved = errno;
    }
    freeaddrinfo(list);
    if (fd < 0)
        return err_set_errno(err, saved, "could not listen on \"%s:%s\"", where->host, where->port);
    return fd;
}

static int describe(int fd, char ret_url[static LISTEN_URL_MAX], int *ret_port, struct err *err)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    char host[HOST_MAX];
    char port[8];

    if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        return err_set_errno(err, errno, "could not read the address of a socket");
    if (getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return err_set(err, ERR_INTERNAL, "could not write the address of a socket");
    (void)snprintf(ret_url, LISTEN_URL_MAX, strchr(host, ':') ? "http://[%s]:%s" : "http://%s:%s",
                   host, port);
    *ret_port = (int)strtol(port, NULL, 10);
    return 0;
}

int listen_open(const char *address, char ret_url[static LISTEN_URL_MAX], int *ret_port,
                struct err *err)
{
    struct host_port where;
    AUTO_CLOSE int fd = -1;

    if (split(address, &where, err) < 0 || (fd = bind_first(&where, err)) < 0 ||
        describe(fd, ret_url, ret_port, err) < 0)
        return -1;
    return take_fd(&fd);
}
