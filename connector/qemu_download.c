/* SPDX-License-Identifier: GPL-3.0-or-later
 * One GET, written to a file as it comes. */
#include "connector/qemu_download.h"

#include "common/cleanup.h"
#include "connector/stop.h"
#include "fetch/multi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define STALL_S   60
#define REPLY_MAX ((size_t)64 << 10) /* of a body that tells why there is no file */

struct download {
    int fd;
    int64_t bytes, max;
    bool ended;
    struct err *err;
    int rc;
};

static int on_data(void *arg, const char *data, size_t len)
{
    struct download *download = arg;

    if ((int64_t)len > download->max - download->bytes) {
        download->rc = err_set(download->err, ERR_BAD_REQUEST,
                               "the image is larger than image_max allows (%" PRId64 " MiB)",
                               download->max >> 20);
        return -1;
    }
    download->bytes += (int64_t)len;
    if (fetch_sink_fd(&download->fd, data, len) == 0)
        return 0;
    download->rc = err_set_errno(download->err, errno, "could not write the image");
    return -1;
}

static void on_done(void *arg, struct fetch_reply *reply, const struct err *err)
{
    struct download *download = arg;

    download->ended = true;
    if (download->rc < 0) /* we have said why ourselves */
        return;
    if (err) {
        *download->err = *err;
        download->rc = -1;
    } else if (reply->status < 200 || reply->status > 299) {
        download->rc =
            err_set(download->err, ERR_UPSTREAM, "the server of the image said %d", reply->status);
    }
}

static int wait_for_end(struct fetch_multi *multi, struct download *download, struct stop *stop)
{
    struct pollfd waits[] = {{.fd = fetch_multi_fd(multi), .events = POLLIN},
                             {.fd = stop ? stop->fd : -1, .events = POLLIN}};

    while (!download->ended) {
        if (poll(waits, 2, -1) < 0 && errno != EINTR) /* the request has a time-out */
            return err_set_errno(download->err, errno, "could not wait for the image");
        if (stop_asked(stop))
            return stop_error(stop, download->err);
        fetch_multi_run(multi);
    }
    return download->rc;
}

static int run(struct fetch *client, const struct fetch_request *request, struct download *download,
               struct stop *stop)
{
    struct fetch_multi *multi = fetch_multi_new(client, download->err);
    struct fetch_reply reply;
    int rc = -1;

    fetch_reply_init(&reply, REPLY_MAX);
    if (multi && fetch_start(multi, request, &reply, on_done, download, download->err))
        rc = wait_for_end(multi, download, stop);
    fetch_multi_free(multi);
    fetch_reply_done(&reply);
    return rc;
}

int qemu_download(const char *url, const char *path, int64_t max, int64_t timeout_ms,
                  struct stop *stop, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct download download = {.fd = fd, .max = max, .err = err};
    const struct fetch_request request = {.method = "GET",
                                          .url = url,
                                          .timeout_s = (unsigned)((timeout_ms + 999) / 1000),
                                          .stall_s = STALL_S,
                                          .sink = on_data,
                                          .sink_arg = &download};
    struct fetch *client;
    int rc;

    if (fd < 0)
        return err_set_errno(err, errno, "could not make \"%s\"", path);
    client = fetch_new("testflinger-device-connector", err);
    if (!client)
        return -1;
    (void)printf("fetching %s\n", url);
    rc = run(client, &request, &download, stop);
    fetch_free(client);
    if (rc == 0)
        (void)printf("fetched %" PRId64 " MiB\n", download.bytes >> 20);
    return rc;
}
