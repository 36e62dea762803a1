/* SPDX-License-Identifier: GPL-3.0-or-later
 * The handlers of service.c. */
#ifndef SERVER_HANDLERS_SERVICE_H
#define SERVER_HANDLERS_SERVICE_H

#include "server/routes.h"

int service_version(struct app *app, const struct request *req, struct response *res,
                    struct err *err);
int service_health(struct app *app, const struct request *req, struct response *res,
                   struct err *err);
int service_ready(struct app *app, const struct request *req, struct response *res,
                  struct err *err);
int service_openapi(struct app *app, const struct request *req, struct response *res,
                    struct err *err);
int service_metrics(struct app *app, const struct request *req, struct response *res,
                    struct err *err);

#endif
