/* SPDX-License-Identifier: GPL-3.0-or-later
 * The texts of --help, made from the tables of commands and arguments. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdio.h>

struct command;

void usage_program(FILE *out);
void usage_command(const struct command *command, FILE *out);

#endif
