/* SPDX-License-Identifier: GPL-3.0-or-later
 * The port leads to the machine as soon as it runs, long before it has an ssh server: qemu takes
 * every connection.  So a server's greeting is waited for before ssh is started, on one short
 * connection after the other: one that was made too early hangs for longer than the boot takes. */
#include "connector/qemu_boot.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fs.h"
#include "connector/qemu_vm.h"
#include "connector/ssh.h"
#include "connector/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_LOOK_MS 1000 /* each waits longer than the one before */
#define LOOK_MAX_MS   10000
#define PAUSE_MS      200
#define TAIL_MAX      2000
#define TAIL_LINES    12

/* --- looking -------------------------------------------------------------------------- */

static int connect_port(int64_t port)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (fd < 0 || (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
                   errno != EINPROGRESS))
        return -1;
    return take_fd(&fd);
}

/* True if a server greets us within that time. */
static bool is_greeted(const struct qemu_vm *vm, const struct ssh *ssh, int ms)
{
    AUTO_CLOSE int fd = connect_port(ssh->port);
    struct pollfd waits[] = {{.fd = fd, .events = POLLIN},
                             {.fd = vm->pid_fd, .events = POLLIN},
                             {.fd = ssh->stop ? ssh->stop->fd : -1, .events = POLLIN}};
    char greeting[4];

    return fd >= 0 && poll(waits, 3, ms) > 0 && waits[0].revents &&
           read(fd, greeting, sizeof(greeting)) == (ssize_t)sizeof(greeting) &&
           memcmp(greeting, "SSH-", sizeof(greeting)) == 0;
}

static bool log_in(const struct qemu_vm *vm, const struct ssh *ssh, int ms, struct err *ret_why)
{
    if (!is_greeted(vm, ssh, ms)) {
        if (ret_why->code == ERR_NONE) /* why a login failed tells more */
            (void)err_set(ret_why, ERR_UPSTREAM_TIMEOUT, "no ssh server answered");
        return false;
    }
    *ret_why = (struct err)ERR_INIT;
    return ssh_wait(ssh, 1, 0, ret_why) == 0;
}

int qemu_boot_wait(const struct qemu_vm *vm, const struct ssh *ssh, int64_t timeout_ms,
                   struct err *err)
{
    int64_t start = clock_ms(&clock_system), left;
    struct err why = ERR_INIT;
    int look_ms = FIRST_LOOK_MS;

    while ((left = start + timeout_ms - clock_ms(&clock_system)) > 0) {
        bool well = log_in(vm, ssh, look_ms < left ? look_ms : (int)left, &why);

        if (stop_asked(ssh->stop))
            return stop_error(ssh->stop, err);
        if (!qemu_vm_lives(vm))
            return err_set(err, ERR_GONE, "the virtual machine has ended by itself");
        if (well)
            return 0;
        if (why.code == ERR_NOT_FOUND) { /* there is no ssh here, and none will come */
            *err = why;
            return -1;
        }
        (void)stop_wait(ssh->stop, PAUSE_MS);
        look_ms = look_ms * 2 < LOOK_MAX_MS ? look_ms * 2 : LOOK_MAX_MS;
    }
    return err_set(err, ERR_TIMEOUT, "nobody could log in within %lld seconds: %s",
                   (long long)timeout_ms / 1000, why.text);
}

/* --- what the console said ------------------------------------------------------------ */

/* How long the order to a terminal is that begins here; 0: it is a character. */
static size_t order_length(const char *text, size_t len)
{
    size_t i = 2;

    if (text[0] != '\x1b')
        return text[0] != '\n' && text[0] != '\t' && (unsigned char)text[0] < ' ' ? 1 : 0;
    if (len > 1 && text[1] == '[') /* ends with a letter */
        while (i < len && (text[i] < '@' || text[i] > '~'))
            i++;
    return i < len ? i + (text[1] == '[') : len;
}

static void read_end(const char *path, struct buf *ret_text)
{
    AUTO_CLOSE int fd = fs_open_file(path, O_RDONLY, 0, NULL);
    char piece[TAIL_MAX];
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    ssize_t n =
        size < 0 ? 0 : pread(fd, piece, sizeof(piece), size > TAIL_MAX ? size - TAIL_MAX : 0);

    for (size_t i = 0, skipped; n > 0 && i < (size_t)n; i += skipped ? skipped : 1) {
        skipped = order_length(piece + i, (size_t)n - i);
        if (!skipped)
            (void)buf_addc(ret_text, piece[i]);
    }
}

void qemu_boot_add_tail(const char *path, struct buf *ret_text)
{
    AUTO(buf) struct buf text = BUF_INIT(TAIL_MAX);
    const char *at;
    size_t lines = 0;

    read_end(path, &text);
    while (text.len > 0 && text.data[text.len - 1] == '\n')
        buf_cut(&text, text.len - 1);
    at = buf_text(&text) + text.len;
    while (at > buf_text(&text) && (at[-1] != '\n' || ++lines < TAIL_LINES))
        at--;
    (void)buf_adds(ret_text, at);
}
