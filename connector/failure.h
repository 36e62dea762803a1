/* SPDX-License-Identifier: GPL-3.0-or-later
 * Why a stage failed, as the agent and the job's owner are told. */
#ifndef CONNECTOR_FAILURE_H
#define CONNECTOR_FAILURE_H

#include "common/err.h"
#include "connector/stage.h"

#define FAILURE_FILE   "device-connector-error.json"
#define FAILURE_STATUS 1
#define FAILURE_UNRECOVERABLE                                                                      \
    46 /* the agent takes itself offline: somebody must look at the device */
#define FAILURE_TEXT_SIZE 4096

enum failure_kind {
    FAILURE_STAGE,    /* the stage went wrong: is called by the stage's name */
    FAILURE_RECOVERY, /* and the device is of no use any more: exit status 46 */
    FAILURE_CONFIG,   /* the lab's configuration is wrong */
    FAILURE_JOB,      /* the job asks for what cannot be */
    FAILURE_KINDS
};

struct failure {
    enum failure_kind kind;
    int status; /* to exit with; 0: as the kind says */
    char message[FAILURE_TEXT_SIZE];
    char cause[FAILURE_TEXT_SIZE]; /* "" if there is none */
};

/* Fill *failure and return -1; the cause is err's text (err may be NULL).  Texts are cut. */
int failure_set(struct failure *failure, enum failure_kind kind, const struct err *cause,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The error alone is the message. */
int failure_from(struct failure *failure, enum failure_kind kind, const struct err *err);
/* The same for what was read and is wrong: the job's fault for ERR_BAD_REQUEST, else that of the
 * configuration. */
int failure_from_input(struct failure *failure, const struct err *err);
#define failure_set(...)        err_failure(failure_set(__VA_ARGS__))
#define failure_from(...)       err_failure(failure_from(__VA_ARGS__))
#define failure_from_input(...) err_failure(failure_from_input(__VA_ARGS__))

/* The exit status that stands for it. */
int failure_status(const struct failure *failure);

/* Adds "<stage>_exception_info" to the file of that name in the working directory, which keeps what
 * other stages wrote. */
int failure_write(const struct failure *failure, enum stage stage, struct err *err);

#endif
