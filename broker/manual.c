/* SPDX-License-Identifier: MIT */
/*
 * manual.c - prints a block of the manual (broker/cli/manual/blocks.h) on
 * standard output, for scripts/manual.sh.  A program of the build, which nobody
 * installs.
 */

#include "broker/cli/manual/blocks.h"

#include <stdlib.h>

int
main(int argc, char **argv)
{
	if (argc != 2 || !manual_print(argv[1], stdout)) {
		fprintf(stderr, "usage: %s BLOCK (see blocks.h)\n", argv[0]);
		return EXIT_FAILURE;
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
