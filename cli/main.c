/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger, the command-line client. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, (const char *const *)argv, stdout, stderr);
}
