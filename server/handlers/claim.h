/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the handlers of claims only. */
#ifndef SERVER_HANDLERS_CLAIM_H
#define SERVER_HANDLERS_CLAIM_H

#include "common/buf.h"
#include "common/err.h"

struct seal_keys;

/* Replaces the paths in test_data.secrets of a claimed job (JSON text) by the values.  sealed: the
 * list that came with it (tfx.render_secrets).  What is not in it or cannot be opened becomes "",
 * with a line in the log in the second case: a claim never fails for a secret.  keys NULL: this
 * server has no store, nothing can be opened. */
int claim_open_secrets(const struct seal_keys *keys, const struct buf *sealed, struct buf *body,
                       struct err *err);

#endif
