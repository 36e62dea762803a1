/* SPDX-License-Identifier: GPL-3.0-or-later
 * The canned server: reads one request (head, and Content-Length bytes), writes one reply. */
#include "tests/unit/lib/canned.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static void read_request(int fd, int record_fd)
{
    struct buf in = BUF_INIT(16 << 20);
    const char *head_end = NULL;
    const char *length;
    size_t want = 0;
    char piece[65536];

    while (!head_end || in.len < want) {
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n <= 0)
            break;
        (void)buf_add(&in, piece, (size_t)n);
        head_end = strstr(buf_text(&in), "\r\n\r\n");
        length = strcasestr(buf_text(&in), "content-length:");
        if (head_end)
            want = (size_t)(head_end + 4 - in.data) +
                   (length && length < head_end ? strtoul(length + 15, NULL, 10) : 0);
    }
    must(write(record_fd, buf_text(&in), in.len) == (ssize_t)in.len, "write");
    buf_done(&in);
}

static void serve(int listener, int record_fd, const char *const *replies)
{
    for (; *replies; replies++) {
        int fd = accept(listener, NULL, NULL);

        must(fd >= 0, "accept");
        read_request(fd, record_fd);
        if (strcmp(*replies, "hang") == 0)
            (void)pause();
        must(write(fd, *replies, strlen(*replies)) >= 0, "write");
        (void)close(fd);
    }
    _exit(0);
}

void canned_start(struct canned *server, const char *const *replies)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(listener >= 0, "socket");
    must(bind(listener, (struct sockaddr *)&address, len) == 0, "bind");
    must(listen(listener, 16) == 0, "listen");
    must(getsockname(listener, (struct sockaddr *)&address, &len) == 0, "getsockname");
    server->port = ntohs(address.sin_port);
    server->record_fd = memfd_create("requests", MFD_CLOEXEC);
    server->pid = fork();
    must(server->pid >= 0 && server->record_fd >= 0, "fork");
    if (server->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN);
        serve(listener, server->record_fd, replies);
    }
    (void)close(listener);
}

void canned_stop(struct canned *server, struct buf *ret_requests)
{
    char piece[65536];
    ssize_t n;

    (void)kill(server->pid, SIGKILL);
    must(waitpid(server->pid, NULL, 0) == server->pid, "waitpid");
    must(lseek(server->record_fd, 0, SEEK_SET) == 0, "lseek");
    while (ret_requests && (n = read(server->record_fd, piece, sizeof(piece))) > 0)
        (void)buf_add(ret_requests, piece, (size_t)n);
    (void)close(server->record_fd);
}
