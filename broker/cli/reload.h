/* SPDX-License-Identifier: MIT */
/*
 * reload.h - read a server's options again, for its supervisor: the call that
 * started it, with the file and the environment as they are now.
 */

#ifndef BROKER_CLI_RELOAD_H
#define BROKER_CLI_RELOAD_H

#include "broker/cli/cli.h"
#include "broker/supervisor/args.h"

struct cli_reloading {
	const struct cli *first; /* of the call; borrowed */
	struct cli *now;         /* in force; NULL: that of the call */
	struct cli *next;        /* read, and not settled yet; or NULL */
	struct supervisor_reload supervisor; /* for supervisor_run() */
};

/* Begin with the options of the call.  Both live as long as the server. */
void cli_reloading_init(struct cli_reloading *r, const struct cli *first);
/* The server has ended: drop what was read.  The first is its owner's. */
void cli_reloading_fini(struct cli_reloading *r);

#endif
