/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. */

#include "tests/floor/options.h"

#include "tests/floor/peers.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

bool
floor_options_read(int argc, char **argv, struct floor_options *options)
{
	static const struct option known[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "size", required_argument, NULL, 's' },
		{ "rooms", no_argument, NULL, 'r' },
		{ "ping", required_argument, NULL, 'p' },
		{ "processes", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	bool is_known = true;
	int option;

	*options = (struct floor_options){ .port = -1, .processes = 1 };
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'l')
			options->port = atoi(optarg);
		else if (option == 's')
			options->size = atoi(optarg);
		else if (option == 'r')
			options->has_rooms = true;
		else if (option == 'p')
			options->ping_seconds = atoi(optarg);
		else if (option == 'n')
			options->processes = atoi(optarg);
		else
			is_known = false;
	}
	if (is_known && optind == argc && options->port >= 0 &&
	    options->size > 0 && options->ping_seconds >= 0 &&
	    options->processes >= 1 && options->processes <= (int)PEERS_MAX)
		return true;
	fputs("usage: floor --listen PORT --size BYTES [--rooms] "
	      "[--ping SECONDS] [--processes N]\n",
	    stderr);
	return false;
}
