/* SPDX-License-Identifier: GPL-3.0-or-later
 * The process that reads the console. */
#include "connector/serial.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fs.h"
#include "connector/config.h"
#include "connector/process.h"
#include "connector/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MS       10000
#define RECONNECT_MS     (30 * 1000)
#define RECONNECT_MAX_MS (3600 * 1000)
#define FIRST_MS         10000
#define PIECE            16384
#define KEPT_MAX         ((int64_t)64 << 20)
#define LAST_PIECES      1024 /* read at the end: what has arrived, not what goes on arriving */

struct reader {
    const char *socket; /* NULL: host and port */
    const char *host, *port;
    int64_t reconnect_ms;
    int64_t left; /* bytes that may still be written */
    int file;
    int ready; /* closed once the first connection was made or failed */
    struct stop stop;
};

/* --- in the process -------------------------------------------------------------------- */

static void is_ready(struct reader *r)
{
    if (r->ready >= 0)
        (void)close(take_fd(&r->ready));
}

/* What passes the limit is read all the same: a console that nobody reads may stop the device. */
static void write_piece(struct reader *r, const char *data, size_t len)
{
    if ((int64_t)len > r->left)
        len = (size_t)r->left;
    r->left -= (int64_t)len;
    while (len > 0) {
        ssize_t n = write(r->file, data, len);

        if (n < 0 && errno != EINTR)
            return; /* the disk is full: the agent knows what to do about that */
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
}

/* Waits for a connection under way; false if it failed or we are to end. */
static bool await_connection(struct reader *r, int fd)
{
    int64_t deadline = clock_ms(&clock_system) + CONNECT_MS;
    struct pollfd waits[] = {{.fd = fd, .events = POLLOUT}, {.fd = r->stop.fd, .events = POLLIN}};
    socklen_t len = sizeof(int);
    int error = 0;

    while (waits[0].revents == 0) {
        int64_t left = deadline - clock_ms(&clock_system);

        if (left <= 0 || stop_asked(&r->stop))
            return false;
        (void)poll(waits, 2, (int)left);
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

static int connect_address(struct reader *r, const struct addrinfo *address)
{
    AUTO_CLOSE int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0)
        return -1;
    /* a terminal server that lost its power says nothing: only this finds out */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 &&
        (errno != EINPROGRESS || !await_connection(r, fd)))
        return -1;
    return take_fd(&fd);
}

static int connect_socket(const char *path)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return take_fd(&fd);
}

static int connect_console(struct reader *r)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int fd = -1;

    if (r->socket)
        return connect_socket(r->socket);
    if (getaddrinfo(r->host, r->port, &hints, &addresses) != 0)
        return -1;
    for (struct addrinfo *a = addresses; a && fd < 0 && !stop_asked(&r->stop); a = a->ai_next)
        fd = connect_address(r, a);
    freeaddrinfo(addresses);
    return fd;
}

/* One piece; false if there is none, now or ever: *ret_ended tells which. */
static bool read_piece(struct reader *r, int fd, bool *ret_ended)
{
    char piece[PIECE];
    ssize_t n = read(fd, piece, sizeof(piece));

    if (n > 0)
        write_piece(r, piece, (size_t)n);
    *ret_ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    return n > 0;
}

/* Until the connection ends or we are to. */
static void read_console(struct reader *r, int fd)
{
    struct pollfd waits[] = {{.fd = fd, .events = POLLIN}, {.fd = r->stop.fd, .events = POLLIN}};
    bool ended = false;

    while (!ended && !stop_asked(&r->stop)) {
        (void)poll(waits, 2, -1);
        (void)read_piece(r, fd, &ended);
    }
    for (int i = 0; !ended && i < LAST_PIECES && read_piece(r, fd, &ended); i++) {
        /* what has arrived */
    }
}

static void read_for_ever(struct reader *r)
{
    do {
        int fd = connect_console(r);

        is_ready(r);
        if (fd >= 0) {
            read_console(r, fd);
            (void)close(fd);
        }
    } while (!stop_wait(&r->stop, r->reconnect_ms));
}

/* --- outside --------------------------------------------------------------------------- */

/* Never returns. */
static void become_reader(struct reader *r, pid_t parent)
{
    /* should the stage be killed, nobody would end us */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent &&
        stop_init(&r->stop, NULL) == 0)
        read_for_ever(r);
    _exit(0);
}

static int fork_reader(struct serial *serial, struct reader *r, struct err *err)
{
    AUTO_CLOSE int wait_fd = -1;
    pid_t parent = getpid(), pid;
    struct pollfd wait = {.events = POLLIN};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "could not make a pipe");
    wait_fd = ends[0];
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        r->ready = ends[1];
        become_reader(r, parent);
    }
    (void)close(ends[1]);
    if (pid < 0)
        return err_set_errno(err, errno, "could not start a process");
    (void)setpgid(pid, pid); /* both do it: whoever is first */
    serial->pid = pid;
    wait.fd = wait_fd;
    (void)poll(&wait, 1, FIRST_MS);
    return 0;
}

int serial_start(struct serial *serial, const struct config *config, const char *path,
                 struct err *err)
{
    AUTO_CLOSE int file = -1;
    struct reader r = {.socket = config_text(config, "serial_socket"),
                       .host = config_text(config, "serial_host"),
                       .port = config_text(config, "serial_port"),
                       .ready = -1,
                       .stop = {.fd = -1}};

    if (config_duration_ms(config, "serial_reconnect", RECONNECT_MS, RECONNECT_MAX_MS,
                           &r.reconnect_ms, err) < 0 ||
        config_number(config, "serial_max", KEPT_MAX, INT64_MAX, &r.left, err) < 0)
        return -1;
    if (!r.socket && (!r.host || !r.port))
        return 0;
    if (r.socket && strlen(r.socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return err_set(err, ERR_INVALID, "serial_socket in the configuration is too long a path");
    file = fs_open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0644, err);
    if (file < 0)
        return -1;
    r.file = file;
    return fork_reader(serial, &r, err);
}

void serial_stop(struct serial *serial)
{
    if (serial->pid > 0)
        (void)process_end(serial->pid);
    serial->pid = 0;
}
