/* SPDX-License-Identifier: GPL-3.0-or-later
 * Multipart forms, in pieces whose size the first byte tells.  libmicrohttpd's post processor looks
 * into its connection for the boundary: one connection, whose request never gets its body, serves
 * for all. */
#include "server/http/upload.h"
#include "server/routes.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct MHD_Connection *connection;
static uint64_t written;
static bool finished;

static enum MHD_Result keep(void *cls, struct MHD_Connection *conn, const char *url,
                            const char *method, const char *version, const char *data,
                            size_t *data_size, void **context)
{
    (void)cls, (void)url, (void)method, (void)version, (void)data, (void)context;
    *data_size = 0;
    connection = conn;
    return MHD_YES;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char header[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                                 "Content-Type: multipart/form-data; boundary=edge\r\n\r\n";
    static const struct sockaddr address = {.sa_family = AF_UNIX};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, keep, NULL, MHD_OPTION_END);
    int ends[2];

    (void)argc;
    (void)argv;
    assert(daemon);
    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    assert(write(ends[1], header, sizeof(header) - 1) == (ssize_t)sizeof(header) - 1);
    assert(MHD_add_connection(daemon, ends[0], &address, sizeof(address)) == MHD_YES);
    for (int i = 0; i < 10 && !connection; i++)
        assert(MHD_run(daemon) == MHD_YES);
    assert(connection);
    return 0;
}

static int open_file(struct app *app, const struct request *req, void **ret_state, struct err *err)
{
    (void)app, (void)req, (void)err;
    written = 0;
    *ret_state = &written;
    return 0;
}

static int write_file(struct app *app, void *state, const void *data, size_t len, struct err *err)
{
    (void)app, (void)data, (void)err;
    assert(state == &written && len > 0 && len <= STREAM_PIECE_MAX);
    written += len;
    return 0;
}

static int finish_file(struct app *app, void *state, struct response *res, struct err *err)
{
    (void)app, (void)res, (void)err;
    assert(state == &written && !finished);
    finished = true;
    return 0;
}

static void abandon_file(struct app *app, void *state)
{
    (void)app;
    assert(state == &written && !finished);
}

static const struct upload_handler handler = {open_file, write_file, finish_file, abandon_file};

static int feed(struct upload *up, const char *data, size_t size, size_t piece)
{
    while (size > 0) {
        size_t len = size < piece ? size : piece;

        if (upload_feed(up, data, len, NULL) < 0)
            return -1;
        if (upload_ready(up) && upload_write(up, NULL, NULL, NULL, NULL) < 0)
            return -1;
        data += len;
        size -= len;
    }
    return upload_end(up, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct upload *up = upload_new(connection, &handler, NULL);

    assert(up);
    finished = false;
    if (size > 0 && feed(up, (const char *)data + 1, size - 1, data[0] + (size_t)1) == 0) {
        assert(upload_write(up, NULL, NULL, NULL, NULL) == 0);
        assert(finished && written == upload_bytes(up) && written < size);
    }
    upload_abandon(up, NULL);
    upload_free(up);
    return 0;
}
