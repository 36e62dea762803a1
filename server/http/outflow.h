/* SPDX-License-Identifier: GPL-3.0-or-later
 * A streamed body on its way out: workers make one piece after the other, the loop thread sends. */
#ifndef SERVER_HTTP_OUTFLOW_H
#define SERVER_HTTP_OUTFLOW_H

#include "server/http/exchange.h"

/* Worker: makes the first piece of ex->res.stream, before anything was sent, so that a failure can
 * still be an answer of its own.  A stream that ends with its first piece becomes a plain body. */
int outflow_begin(struct exchange *ex, struct app *app, struct err *err);
/* The response that sends the stream; NULL when memory is out. */
struct MHD_Response *outflow_response(struct exchange *ex);
/* Loop thread: a worker has brought a piece. */
void outflow_returned(struct exchange *ex);
/* Nobody reads on: the connection is to be closed. */
void outflow_cut(struct exchange *ex);
void outflow_free(struct outflow *out);

#endif
