/* SPDX-License-Identifier: GPL-3.0-or-later
 * A connection that serves one command after the other. */
#include "connector/qemu_qmp.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "connector/stop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)
#define PIECE          4096

/* --- lines ---------------------------------------------------------------------------- */

/* Waits for the socket; events as for poll(). */
static int await(struct qmp *qmp, short events, int64_t deadline, struct err *err)
{
    struct pollfd waits[] = {{.fd = qmp->fd, .events = events},
                             {.fd = qmp->stop ? qmp->stop->fd : -1, .events = POLLIN}};

    for (;;) {
        int64_t left = deadline - clock_ms(&clock_system);

        if (stop_asked(qmp->stop))
            return stop_error(qmp->stop, err);
        if (left <= 0)
            return err_set(err, ERR_TIMEOUT, "qemu did not answer in time");
        if (poll(waits, 2, (int)left) < 0 && errno != EINTR)
            return err_set_errno(err, errno, "could not wait for qemu");
        if (waits[0].revents)
            return 0;
    }
}

static int read_more(struct qmp *qmp, int64_t deadline, struct err *err)
{
    char piece[PIECE];
    ssize_t n;

    if (await(qmp, POLLIN, deadline, err) < 0)
        return -1;
    n = read(qmp->fd, piece, sizeof(piece));
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return err_set(err, ERR_GONE, "qemu has ended");
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return err_set_errno(err, errno, "could not read what qemu says");
    if (n > 0 && buf_add(&qmp->in, piece, (size_t)n) < 0)
        return err_set(err, ERR_TOO_LARGE, "qemu answers with too long a line");
    return 0;
}

/* The next line as an object, which the caller puts. */
static int read_message(struct qmp *qmp, int64_t deadline, struct json_object **ret_json,
                        struct err *err)
{
    struct json_object *json = NULL;
    const char *end;
    int rc;

    while (!(end = memchr(buf_text(&qmp->in), '\n', qmp->in.len)))
        if (read_more(qmp, deadline, err) < 0)
            return -1;
    rc = jsn_parse(qmp->in.data, (size_t)(end - qmp->in.data), &json, err);
    buf_drop(&qmp->in, (size_t)(end - qmp->in.data) + 1);
    if (rc < 0)
        return err_prefix(err, "what qemu says");
    *ret_json = json;
    return 0;
}

static int send_text(struct qmp *qmp, const struct buf *text, int64_t deadline, struct err *err)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = send(qmp->fd, text->data + done, text->len - done, MSG_NOSIGNAL);

        if (n > 0)
            done += (size_t)n;
        else if (errno == EPIPE || errno == ECONNRESET)
            return err_set(err, ERR_GONE, "qemu has ended");
        else if (errno != EAGAIN && errno != EINTR)
            return err_set_errno(err, errno, "could not tell qemu what to do");
        else if (await(qmp, POLLOUT, deadline, err) < 0)
            return -1;
    }
    return 0;
}

/* --- commands ------------------------------------------------------------------------- */

/* True if the message ends the wait for an answer. */
static bool is_answer(struct json_object *message)
{
    return jsn_get(message, "return") || jsn_get(message, "error");
}

static int take_answer(const char *command, struct json_object *message,
                       struct json_object **ret_value, struct err *err)
{
    struct json_object *error = jsn_get(message, "error");
    const char *text = jsn_text(error, "desc");

    if (error)
        return err_set(err, ERR_INTERNAL, "qemu refuses \"%s\": %s", command,
                       text ? text : "it did not say why");
    if (ret_value)
        *ret_value = json_object_get(jsn_get(message, "return"));
    return 0;
}

int qmp_run(struct qmp *qmp, const char *command, const char *arguments,
            struct json_object **ret_value, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(LINE_MAX_BYTES);
    int64_t deadline = clock_ms(&clock_system) + qmp->timeout_ms;
    int rc;

    (void)buf_addf(&text, "{\"execute\":\"%s\"", command);
    if (arguments)
        (void)buf_addf(&text, ",\"arguments\":%s", arguments);
    (void)buf_adds(&text, "}\n");
    if (buf_failed(&text))
        return err_set(err, ERR_TOO_LARGE, "\"%s\" has too long arguments", command);
    if (send_text(qmp, &text, deadline, err) < 0)
        return -1;
    for (;;) {
        struct json_object *message = NULL;

        if (read_message(qmp, deadline, &message, err) < 0)
            return -1;
        rc = is_answer(message) ? take_answer(command, message, ret_value, err) : 1;
        (void)json_object_put(message);
        if (rc <= 0)
            return rc;
    }
}

static int connect_socket(const char *path, struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);

    if (len < 0 || (size_t)len >= sizeof(address.sun_path))
        return err_set(err, ERR_INVALID, "\"%s\" is too long for a socket", path);
    /* the socket of a listener that takes nobody does not block: it fails */
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return err_set_errno(err, errno, "could not connect to \"%s\"", path);
    return take_fd(&fd);
}

int qmp_open(struct qmp *qmp, const char *socket_path, int64_t timeout_ms, struct stop *stop,
             struct err *err)
{
    struct json_object *greeting = NULL;

    *qmp = (struct qmp){.fd = -1, .stop = stop, .timeout_ms = timeout_ms};
    buf_init(&qmp->in, LINE_MAX_BYTES);
    qmp->fd = connect_socket(socket_path, err);
    if (qmp->fd < 0 || read_message(qmp, clock_ms(&clock_system) + timeout_ms, &greeting, err) < 0)
        return -1;
    (void)json_object_put(greeting);
    return qmp_run(qmp, "qmp_capabilities", NULL, NULL, err);
}

void qmp_done(struct qmp *qmp)
{
    if (qmp->fd >= 0)
        (void)close(qmp->fd);
    qmp->fd = -1;
    buf_done(&qmp->in);
}
