/* SPDX-License-Identifier: GPL-3.0-or-later
 * What is the same for every reservation: its length, the lines that tell of it, the wait. */
#ifndef CONNECTOR_RESERVATION_H
#define CONNECTOR_RESERVATION_H

#include "connector/connector.h"

#include <stdint.h>

struct ssh;

struct reservation {
    int64_t seconds;
};

/* reserve_data.timeout of the job (default an hour), at most reserve_max of the configuration. */
int reservation_read(struct reservation *reservation, const struct run *run, struct err *err);

void reservation_print_head(void);
void reservation_print_device(const struct ssh *ssh);
void reservation_print_serial(const struct config *config);
void reservation_print_times(const struct reservation *reservation, const struct run *run);

/* Until the time is over or the stage is to end. */
void reservation_wait(const struct reservation *reservation, const struct run *run);

#endif
