/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-device-connector. */
#include "connector/connector.h"

int main(int argc, char **argv)
{
    return connector_run(argc, argv);
}
