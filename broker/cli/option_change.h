/* SPDX-License-Identifier: MIT */
/* option_change.h - what changes an option of a server that runs, in words. */

#ifndef BROKER_CLI_OPTION_CHANGE_H
#define BROKER_CLI_OPTION_CHANGE_H

#include "broker/cli/option.h"

/* The commands that bring it about, one word without blanks.  Returns: static. */
const char *option_change_word(enum option_change change);

#endif
