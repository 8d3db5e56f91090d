/* SPDX-License-Identifier: MIT */
/* option_same.h - whether an option has the same value in two command lines,
 * however it was said. */

#ifndef BROKER_CLI_OPTION_SAME_H
#define BROKER_CLI_OPTION_SAME_H

#include "broker/cli/option.h"

#include <stdbool.h>

/* A default that depends on the host is the same, whatever has become of the
 * host meanwhile. */
bool option_is_same(
    const struct option *option, const struct cli *a, const struct cli *b);

#endif
