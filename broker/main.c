/* SPDX-License-Identifier: MIT */
/* main.c - pubsubd's command line: parse it, do it. */

#include "broker/cli/check.h"
#include "broker/cli/cluster.h"
#include "broker/cli/conns.h"
#include "broker/cli/control.h"
#include "broker/cli/help.h"
#include "broker/cli/inspect.h"
#include "broker/cli/options.h"
#include "broker/cli/client/pub.h"
#include "broker/cli/start.h"
#include "broker/cli/status.h"
#include "broker/cli/token.h"
#include "broker/cli/client/sub.h"
#include "broker/cli/client/tap.h"
#include "broker/cli/client/topics.h"
#include "broker/cli/top.h"
#include "broker/host/report.h"
#include "broker/supervisor/supervisor.h"
#include "common/bug.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Make sure that no file opened from now on becomes a standard stream, even if
 * the caller has closed those. */
static void
main_open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

int
main(int argc, char **argv)
{
	static struct cli cli; /* what it owns lives as long as the process */
	bool is_trial =
	    argc > 1 && (strcmp(argv[1], SUPERVISOR_TRIAL) == 0 ||
			    strcmp(argv[1], SUPERVISOR_TRIAL_UPGRADE) == 0);
	char error[CLI_ERROR_MAX];

	main_open_standard_streams();
	if (!cli_parse(&cli, argv + is_trial, error))
		return cli.command == CLI_CHECK
		           ? (int)cli_print_faults(&cli, error)
		           : (int)report_failure(
				 EXIT_STATUS_USAGE, "%s", error);
	if (is_trial)
		return (int)cli_try(&cli, argv[1]);
	switch (cli.command) {
	case CLI_RUN:
		return (int)cli_run(&cli, worker_main);
	case CLI_START:
		return (int)cli_start(&cli, worker_main);
	case CLI_STOP:
		return (int)cli_stop(&cli);
	case CLI_RESTART:
		return (int)cli_restart(&cli);
	case CLI_UPGRADE:
		return (int)cli_upgrade(&cli);
	case CLI_RELOAD:
		return (int)cli_reload(&cli);
	case CLI_STATUS:
		return (int)cli_status(&cli);
	case CLI_TOP:
		return (int)cli_top(&cli);
	case CLI_TAP:
		return (int)cli_tap(&cli);
	case CLI_INSPECT:
		return (int)cli_inspect(&cli);
	case CLI_CONNS:
		return (int)cli_conns(&cli);
	case CLI_KICK:
		return (int)cli_kick(&cli);
	case CLI_CLUSTER:
		return (int)cli_cluster(&cli);
	case CLI_CHECK:
		return (int)cli_print_options_in_force(&cli);
	case CLI_PUB:
		return (int)cli_pub(&cli);
	case CLI_SUB:
		return (int)cli_sub(&cli);
	case CLI_TOPICS:
		return (int)cli_topics(&cli);
	case CLI_TOKEN:
		return (int)cli_token(&cli);
	case CLI_VERSION:
		printf("pubsubd %s\n", PUBSUBD_VERSION);
		return (int)report_printed();
	case CLI_HELP:
		if (!cli_print_help(cli.words[0]))
			return (int)report_failure(EXIT_STATUS_USAGE,
			    "%s: no such command; try 'pubsubd help'",
			    cli.words[0]);
		return (int)report_printed();
	}
	BUG("a command that cli_parse() does not know");
}
