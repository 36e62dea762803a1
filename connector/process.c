/* SPDX-License-Identifier: GPL-3.0-or-later
 * Starts programs and waits for them, by SIGCHLD from a descriptor: pidfds would be simpler, but
 * valgrind does not know them yet. */
#include "connector/process.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "connector/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE 16384

/* What we read from it: both standard descriptors, or only one, or none. */
struct stream {
    int fd; /* our end; -1: closed, or never ours */
    struct buf *kept;
    int shown_fd; /* -1: not shown */
};

/* --- starting ------------------------------------------------------------------------- */

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;

    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSIGMASK) ||
           posix_spawnattr_setpgroup(attributes, 0) ||
           posix_spawnattr_setsigdefault(attributes, &all) ||
           posix_spawnattr_setsigmask(attributes, &none);
}

static int set_files(posix_spawn_file_actions_t *files, int out_fd, int err_fd)
{
    return posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ||
           posix_spawn_file_actions_adddup2(files, out_fd, STDOUT_FILENO) ||
           posix_spawn_file_actions_adddup2(files, err_fd, STDERR_FILENO) ||
           posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
}

/* The standard library takes texts that it may not change as if it might. */
static char *const *as_vector(const char *const *texts)
{
    union {
        const char *const *borrowed;
        char *const *given;
    } vector = {.borrowed = texts};

    return vector.given;
}

static int spawn(const struct process *process, int out_fd, int err_fd, pid_t *ret_pid,
                 struct err *err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = ENOMEM;

    (void)fflush(NULL);
    if (posix_spawn_file_actions_init(&files) != 0)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (posix_spawnattr_init(&attributes) == 0) {
        if (!set_attributes(&attributes) && !set_files(&files, out_fd, err_fd))
            error = posix_spawnp(ret_pid, process->argv[0], &files, &attributes,
                                 as_vector(process->argv),
                                 process->environment ? as_vector(process->environment) : environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    if (error == 0)
        return 0;
    (void)err_set_errno(err, error, "could not run \"%s\"", process->argv[0]);
    if (err && error == ENOENT)
        err->code = ERR_NOT_FOUND;
    return -1;
}

/* --- its output ----------------------------------------------------------------------- */

static void keep_last(struct buf *kept, const char *data, size_t len)
{
    if (len > kept->max) {
        data += len - kept->max;
        len = kept->max;
    }
    if (kept->len + len > kept->max)
        buf_drop(kept, kept->len + len - kept->max);
    (void)buf_add(kept, data, len);
}

static void show(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
}

static void close_stream(struct stream *stream)
{
    if (stream->fd >= 0)
        (void)close(stream->fd);
    stream->fd = -1;
}

/* One piece.  False if there is nothing to read now. */
static bool read_piece(struct stream *stream)
{
    char piece[PIECE];
    ssize_t n = stream->fd < 0 ? -1 : read(stream->fd, piece, sizeof(piece));

    if (n > 0) {
        keep_last(stream->kept, piece, (size_t)n);
        if (stream->shown_fd >= 0)
            show(stream->shown_fd, piece, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_stream(stream);
    }
    return n > 0;
}

/* A pipe whose reading end does not block. */
static int open_stream(struct stream *stream, struct buf *kept, int shown_fd, int *ret_theirs,
                       struct err *err)
{
    int ends[2];

    if (!kept)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "could not make a pipe");
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *stream = (struct stream){ends[0], kept, shown_fd};
    *ret_theirs = ends[1];
    return 0;
}

/* --- waiting -------------------------------------------------------------------------- */

static int status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static int reap(pid_t pid)
{
    int status = 255 << 8; /* of one that somebody else has reaped */

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        /* only signals to be handled could interrupt it, and there are none */
    }
    return status_of(status);
}

static int poll_time(int64_t deadline)
{
    int64_t left = deadline - clock_ms(&clock_system);

    return (int)(left < 0 ? 0 : left < INT_MAX ? left : INT_MAX);
}

/* A descriptor that becomes ready when a child ends.  Whoever polls it looks at the child before: a
 * signal stands for all that ended until it is read. */
static int watch_children(struct err *err)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t child;
    int fd;

    /* whoever started us may have had it ignored: the kernel would keep no status then */
    (void)sigaction(SIGCHLD, &standard, NULL);
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? err_set_errno(err, errno, "could not wait for programs") : fd;
}

static void forget_signal(int children_fd)
{
    struct signalfd_siginfo info;

    while (read(children_fd, &info, sizeof(info)) > 0) {
        /* who has ended is seen by looking */
    }
}

/* Leaves it for reap(). */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

int process_end(pid_t pid)
{
    AUTO_CLOSE int children_fd = watch_children(NULL);
    struct pollfd wait = {.fd = children_fd, .events = POLLIN};
    int64_t deadline = clock_ms(&clock_system) + PROCESS_KILL_MS;

    (void)kill(-pid, SIGTERM);
    while (!has_ended(pid) && clock_ms(&clock_system) < deadline) {
        (void)poll(&wait, 1, poll_time(deadline));
        forget_signal(children_fd);
    }
    (void)kill(-pid, SIGKILL); /* before it is reaped: the number cannot be anybody else's */
    return reap(pid);
}

struct waiting {
    const struct process *process;
    struct stop *stop;
    struct stream streams[2];
    int children_fd;
};

/* Waits until it has ended. */
static int wait_for(struct waiting *w, pid_t pid, struct err *err)
{
    int64_t now = clock_ms(&clock_system), timeout_ms = w->process->timeout_ms;
    int64_t deadline = timeout_ms > INT64_MAX - now ? INT64_MAX : now + timeout_ms;

    while (!has_ended(pid)) {
        struct pollfd waits[] = {
            {.fd = w->children_fd, .events = POLLIN},
            {.fd = w->stop ? w->stop->fd : -1, .events = POLLIN},
            {.fd = w->streams[0].fd, .events = POLLIN},
            {.fd = w->streams[1].fd, .events = POLLIN},
        };

        if (stop_asked(w->stop))
            return stop_error(w->stop, err);
        if (clock_ms(&clock_system) >= deadline)
            return err_set(err, ERR_TIMEOUT, "\"%s\" took longer than %lld seconds",
                           w->process->argv[0], (long long)timeout_ms / 1000);
        (void)poll(waits, 4, poll_time(deadline));
        forget_signal(w->children_fd);
        (void)read_piece(&w->streams[0]);
        (void)read_piece(&w->streams[1]);
    }
    return 0;
}

/* It has ended: what it wrote is read, what others still write who have its descriptors is not
 * waited for. */
static void drain(struct stream *stream)
{
    for (size_t i = 0; i < 1024 * 1024 / PIECE * 2 && read_piece(stream); i++) {
        /* a pipe holds at most 1 MiB */
    }
    close_stream(stream);
}

static int run(struct waiting *w, const int theirs[2], int *ret_status, struct err *err)
{
    pid_t pid;
    int rc;

    if (spawn(w->process, theirs[0] < 0 ? STDOUT_FILENO : theirs[0],
              theirs[1] < 0 ? STDERR_FILENO : theirs[1], &pid, err) < 0)
        return -1;
    rc = wait_for(w, pid, err);
    if (rc < 0)
        (void)process_end(pid);
    else
        *ret_status = reap(pid);
    return rc;
}

int process_run(const struct process *process, struct stop *stop, int *ret_status, struct err *err)
{
    AUTO_CLOSE int children_fd = -1;
    struct waiting w = {.process = process, .stop = stop, .streams = {{.fd = -1}, {.fd = -1}}};
    int theirs[2] = {-1, -1};
    int rc = -1;

    if (stop_asked(stop))
        return stop_error(stop, err);
    w.children_fd = children_fd = watch_children(err);
    if (children_fd >= 0 && open_stream(&w.streams[0], process->output, -1, &theirs[0], err) == 0 &&
        open_stream(&w.streams[1], process->errors, process->errors_shown ? STDERR_FILENO : -1,
                    &theirs[1], err) == 0)
        rc = run(&w, theirs, ret_status, err);
    for (int i = 0; i < 2; i++) {
        if (theirs[i] >= 0)
            (void)close(theirs[i]);
        drain(&w.streams[i]);
    }
    return rc;
}

const char *process_last_line(struct buf *said)
{
    const char *start;

    while (said->len > 0 && strchr("\r\n ", said->data[said->len - 1]))
        buf_cut(said, said->len - 1);
    if (said->len == 0)
        return "it did not say why";
    start = strrchr(said->data, '\n');
    return start ? start + 1 : said->data;
}
