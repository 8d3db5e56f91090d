/* SPDX-License-Identifier: MIT */
/*
 * details.h - what an option or a command does, for the page of options and the man
 * pages, where there is more room than in `pubsubd help'.
 *
 * The text is plain, but for what stands between backticks: that is to be typed
 * as it is.
 */

#ifndef BROKER_CLI_MANUAL_DETAILS_H
#define BROKER_CLI_MANUAL_DETAILS_H

#include "broker/cli/option_table.h"

struct detail {
	const char *name; /* of an option of a server, or of a command */
	const char *text;
};

extern const struct detail option_details[];
extern const size_t option_detail_count;

extern const struct detail command_details[];
extern const size_t command_detail_count;

/* The text of an option, or what its help says.  Returns: static. */
const char *detail_of_option(const struct option *option);

/* The text of a command, or what its help says.  Returns: static. */
const char *detail_of_command(const struct command *command);

#endif
