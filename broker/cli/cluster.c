/* SPDX-License-Identifier: MIT */
/* cluster.c - see cluster.h. */

#include "broker/cli/cluster.h"

#include "broker/cluster/bridge_args.h"
#include "broker/host/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The bridge is beside this program.  Owns: the caller. */
static char *
cluster_program(void)
{
	char *self = paths_program(), *slash = strrchr(self, '/'), *path;

	if (asprintf(&path, "%.*s/" BRIDGE_PROGRAM,
		(int)(slash != NULL ? slash - self : 0), self) == -1)
		path = NULL;
	free(self);
	return path;
}

/* Whether it can be called; if not, that is told. */
static bool
cluster_is_there(const char *program)
{
	if (program != NULL && access(program, X_OK) == 0)
		return true;
	report_failure(EXIT_STATUS_FAILED,
	    "--cluster: %s is not there: install libnats-dev and build again",
	    program != NULL ? program : BRIDGE_PROGRAM);
	return false;
}

bool
cli_check_bridge(const struct cli *cli)
{
	char *program;
	bool is_there;

	if (cli->config.cluster_count == 0)
		return true;
	program = cluster_program();
	is_there = cluster_is_there(program);
	free(program);
	return is_there;
}

enum exit_status
cli_cluster(const struct cli *cli)
{
	char *program = cluster_program(), **argv;

	if (cli->config.cluster_count == 0)
		return report_failure(EXIT_STATUS_USAGE,
		    "cluster: needs --cluster URL, here or in the file");
	if (!cluster_is_there(program))
		return EXIT_STATUS_FAILED;
	argv = bridge_argv(program, cli->words[0], &cli->config, NULL);
	execv(program, argv);
	return report_failure(
	    EXIT_STATUS_FAILED, "%s: %s", program, strerror(errno));
}
