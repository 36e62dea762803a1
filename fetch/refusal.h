/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a refusal of the server says, as one text. */
#ifndef FETCH_REFUSAL_H
#define FETCH_REFUSAL_H

#include "common/err.h"

struct fetch_reply;

/* Fills *err from a reply whose status is not 2xx and returns -1: the message, and for a
 * validation error each field with its reason. */
int fetch_refusal(const struct fetch_reply *reply, struct err *err);

#endif
