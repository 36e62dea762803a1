/* SPDX-License-Identifier: GPL-3.0-or-later
 * An upload on its way: the loop thread takes the multipart body apart and collects the file part,
 * workers write it in pieces.  What is in memory is bounded by one piece and one read. */
#ifndef SERVER_HTTP_UPLOAD_H
#define SERVER_HTTP_UPLOAD_H

#include "common/err.h"
#include "server/app.h"
#include "server/http/request.h"
#include "server/http/response.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;
struct upload;
struct upload_handler;

/* ERR_BAD_REQUEST: the body is no multipart form. */
struct upload *upload_new(struct MHD_Connection *connection, const struct upload_handler *handler,
                          struct err *err);
/* The handler's state must have been given back: see upload_open(). */
void upload_free(struct upload *up);

/* Loop thread: the next bytes of the body. */
int upload_feed(struct upload *up, const char *data, size_t len, struct err *err);
/* Loop thread: the body has ended.  ERR_BAD_REQUEST: it was cut, or had no file part. */
int upload_end(struct upload *up, struct err *err);
/* Size of the file as far as it came. */
uint64_t upload_bytes(const struct upload *up);
/* A whole piece is waiting to be written. */
bool upload_ready(const struct upload *up);
/* The handler holds something that upload_abandon() or finishing must release. */
bool upload_open(const struct upload *up);

/* Worker: writes what is there, and finishes (filling *res) after upload_end(). */
int upload_write(struct upload *up, struct app *app, const struct request *req,
                 struct response *res, struct err *err);
void upload_abandon(struct upload *up, struct app *app);

#endif
