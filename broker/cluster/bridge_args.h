/* SPDX-License-Identifier: MIT */
/*
 * bridge_args.h - how pubsubd calls pubsubd-bridge, the program that alone is
 * linked with libnats, and what its exit status says.
 */

#ifndef BROKER_CLUSTER_BRIDGE_ARGS_H
#define BROKER_CLUSTER_BRIDGE_ARGS_H

#include "broker/shared/segment.h"
#include "common/config.h"

#include <stddef.h>

#define BRIDGE_PROGRAM "pubsubd-bridge" /* beside pubsubd */

/* The first word of a call; the others are those of `pubsubd cluster'. */
#define BRIDGE_SERVE "serve"

/* Exit status of `serve'. */
enum bridge_exit {
	BRIDGE_DONE = 0,
	BRIDGE_FAILED = 1, /* told in the log; it may go better next time */
	BRIDGE_RENEW = 3,  /* this ring cannot go on with the log */
};

/* What `serve' gets beyond the options of the cluster. */
struct bridge_serve {
	int segment;                   /* descriptor */
	int asides[SEGMENT_ASIDE_MAX]; /* likewise, of rings that were given
	                                * up, by place; -1: none */
	int life;             /* read end of a pipe: EOF = supervisor died */
	const int *doorbells; /* one of each worker, and its own behind them */
	unsigned workers;
};

/*
 * The arguments of a call: `word', the options, and with serve != NULL what that
 * needs.  argv[0] is the path of the program.
 * Returns: a list that ends with NULL; all of it is one allocation.
 * Owns:    the caller, by free(3).
 */
char **bridge_argv(const char *program, const char *word,
    const struct config *config, const struct bridge_serve *serve);

#endif
