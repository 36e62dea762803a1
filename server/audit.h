/* SPDX-License-Identifier: GPL-3.0-or-later
 * The security log: who logged in, was refused, made or changed whom.  One logfmt line each,
 *
 *     ts=… level=warning event=security what=login_failed client=- about=ci-runner peer=192.0.2.7 …
 *
 * in a file of its own or among the other lines.  Never a secret: tokens and passwords do not come
 * here at all.  Handlers note what happened in their response; the top of the request writes. */
#ifndef SERVER_AUDIT_H
#define SERVER_AUDIT_H

#include "common/err.h"
#include "common/log.h"

enum audit_what {
#define AUDIT(name, level, text) AUDIT_##name,
#include "server/audit.def"
#undef AUDIT
    AUDIT_COUNT
};

struct audit_entry {
    enum audit_what what;
    const char *client; /* who asked; NULL: anonymous */
    const char *role;
    const char *about; /* whom or what it is about, or NULL */
    const char *peer;  /* address of the connection */
    const char *from;  /* the client's address as a trusted proxy told it, or NULL */
    const char *request_id, *method, *path;
    const char *reason; /* or NULL */
    int status;
};

struct audit;

/* path NULL: to the ordinary log.  Less important events than level are left out. */
struct audit *audit_new(const char *path, enum log_level level, struct err *err);
void audit_free(struct audit *audit);
/* Opens the file again after it was moved away. */
int audit_reopen(struct audit *audit, struct err *err);

/* From any thread.  audit may be NULL: then nothing is kept. */
void audit_write(struct audit *audit, const struct audit_entry *entry);

#endif
