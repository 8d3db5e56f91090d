/* SPDX-License-Identifier: MIT */
/* options.h - the command line of the floor; floor.c says what each means. */

#ifndef TESTS_FLOOR_OPTIONS_H
#define TESTS_FLOOR_OPTIONS_H

#include <stdbool.h>

struct floor_options {
	int port;
	int size;
	int ping_seconds; /* 0: no pings */
	int processes;
	bool has_rooms; /* takes messages in */
};

/* Read the command line.  Returns false, having said how to use it, if it is
 * wrong. */
bool floor_options_read(int argc, char **argv, struct floor_options *options);

#endif
