/* SPDX-License-Identifier: MIT */
/*
 * args.h - what the command line hands to the supervisor.
 */

#ifndef BROKER_SUPERVISOR_ARGS_H
#define BROKER_SUPERVISOR_ARGS_H

#include "broker/shared/worker_args.h"
#include "common/config.h"

#include <stdbool.h>

/* In front of the command, this makes `run' and `start' only say whether they
 * would start: what a restart asks the program on disk before it becomes it. */
#define SUPERVISOR_TRIAL "check-restart"

struct supervisor_args {
	const struct config *config;
	worker_main_fn *worker_main;
	char **argv;     /* the call that a restart repeats; ends with NULL */
	bool background; /* standard error goes to the log too */
};

#endif
