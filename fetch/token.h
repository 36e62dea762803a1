/* SPDX-License-Identifier: GPL-3.0-or-later
 * The tokens of a Testflinger server, as files, requests and replies spell them. */
#ifndef FETCH_TOKEN_H
#define FETCH_TOKEN_H

#include "common/err.h"

struct buf;
struct fetch_reply;

/* Reads a file {"refresh_token": "…"}; the caller frees the text.  No such file: ERR_NOT_FOUND. */
int fetch_token_read(const char *path, char **ret_token, struct err *err);

/* Adds the body of a request for an access token. */
int fetch_token_ask(struct buf *body, const char *refresh_token);

/* Takes the access token out of a reply of status 200; the caller frees it. */
int fetch_token_take(const struct fetch_reply *reply, char **ret_token, struct err *err);

#endif
