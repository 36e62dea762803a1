/* SPDX-License-Identifier: GPL-3.0-or-later
 * Blocking sockets with a time-out, so that a test ends even if the server says nothing. */
#include "raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMEOUT_S 30

int raw_connect(int port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

void raw_send(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

void raw_text(int fd, const char *text)
{
    raw_send(fd, text, strlen(text));
}

/* Byte by byte: what follows belongs to the next answer. */
static int read_line_end(int fd, char *out, size_t size, const char *end)
{
    size_t n = 0;
    size_t end_len = strlen(end);

    while (n + 1 < size && recv(fd, out + n, 1, 0) == 1) {
        out[++n] = '\0';
        if (n >= end_len && strcmp(out + n - end_len, end) == 0)
            return 0;
    }
    out[n] = '\0';
    return -1;
}

static size_t read_exactly(int fd, char *out, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = recv(fd, out + done, len - done, 0);

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static void read_chunks(int fd, struct raw_reply *reply)
{
    char line[64];

    while (read_line_end(fd, line, sizeof(line), "\r\n") == 0) {
        size_t len = strtoul(line, NULL, 16);

        assert_true(reply->len + len < RAW_BODY_MAX);
        reply->len += read_exactly(fd, reply->body + reply->len, len);
        (void)read_line_end(fd, line, sizeof(line), "\r\n");
        if (len == 0)
            return;
    }
}

void raw_read_head(int fd, struct raw_reply *ret_reply)
{
    *ret_reply = (struct raw_reply){.body = calloc(1, RAW_BODY_MAX + 1)};
    assert_non_null(ret_reply->body);
    if (read_line_end(fd, ret_reply->head, sizeof(ret_reply->head), "\r\n\r\n") == 0)
        ret_reply->status = (int)strtol(ret_reply->head + strlen("HTTP/1.1 "), NULL, 10);
}

void raw_read(int fd, struct raw_reply *ret_reply)
{
    const char *length;

    raw_read_head(fd, ret_reply);
    if (ret_reply->status == 0 || ret_reply->status == 204 || ret_reply->status == 100)
        return;
    length = strstr(ret_reply->head, "Content-Length: ");
    if (strstr(ret_reply->head, "Transfer-Encoding: chunked"))
        read_chunks(fd, ret_reply);
    else
        ret_reply->len = read_exactly(fd, ret_reply->body,
                                      length ? strtoul(length + 16, NULL, 10) : RAW_BODY_MAX);
}

void raw_reply_done(struct raw_reply *reply)
{
    free(reply->body);
    reply->body = NULL;
}

int raw_ask(int port, const char *text, struct raw_reply *ret_reply)
{
    int fd = raw_connect(port);

    raw_text(fd, text);
    raw_read(fd, ret_reply);
    (void)close(fd);
    return ret_reply->status;
}

int raw_readable(int fd, int timeout_ms)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    return poll(&pfd, 1, timeout_ms) == 1;
}

int raw_closed(int fd, int timeout_ms)
{
    char byte;

    return raw_readable(fd, timeout_ms) && recv(fd, &byte, 1, MSG_PEEK) <= 0;
}
