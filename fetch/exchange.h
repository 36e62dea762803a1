/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside fetch/ only: one exchange on one curl handle, shared by the waiting and the other form. */
#ifndef FETCH_EXCHANGE_H
#define FETCH_EXCHANGE_H

#include "fetch/fetch.h"

#include <curl/curl.h>

struct fetch {
    CURL *easy;    /* for fetch_run(), so that its connections are used again */
    CURLSH *share; /* cookies, for all handles of this client */
    char *user_agent;
};

struct exchange {
    CURL *easy; /* borrowed */
    const struct fetch_request *req;
    struct fetch_reply *reply;
    struct curl_slist *headers;
    curl_mime *mime;
    enum err_code failure; /* why our own callbacks ended it */
    char error[CURL_ERROR_SIZE];
};

/* Sets all options on easy.  exchange_done() must follow, also after a failure. */
int exchange_init(struct exchange *x, struct fetch *client, CURL *easy,
                  const struct fetch_request *req, struct fetch_reply *reply, struct err *err);
/* Turns curl's result into reply->status or *err. */
int exchange_result(struct exchange *x, CURLcode code, struct err *err);
void exchange_done(struct exchange *x);

#endif
