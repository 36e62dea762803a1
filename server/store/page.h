/* SPDX-License-Identifier: GPL-3.0-or-later
 * A part of a list that is sorted by name. */
#ifndef SERVER_STORE_PAGE_H
#define SERVER_STORE_PAGE_H

#include <stdint.h>

struct store_page {
    int64_t limit;     /* 0: all */
    const char *after; /* the last name of the page before; NULL: from the first */
};

#endif
