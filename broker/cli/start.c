/* SPDX-License-Identifier: MIT */
/* start.c - see start.h. */

#include "broker/cli/start.h"

#include "broker/cli/named_files.h"
#include "broker/cli/cluster.h"
#include "broker/cli/reload.h"
#include "broker/cli/settings.h"
#include "broker/host/descriptors.h"
#include "broker/host/paths.h"
#include "broker/supervisor/supervisor.h"
#include "broker/supervisor/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Check everything that can be checked before there is a server.  Makes the
 * directories of the files whose place is the default. */
static enum exit_status
cli_prepare(const struct cli *cli)
{
	char error[PATHS_ERROR_MAX];

	/* A restart that has come this far has sent the clients away: workers
	 * start as soon as their directory is there again. */
	if (!handover_is_there()) {
		settings_warn_of_variables();
		if (!cli_check_named_files(cli))
			return EXIT_STATUS_FAILED;
	}
	if (!handover_is_there() && !cli_check_bridge(cli))
		return EXIT_STATUS_FAILED;
	if (!paths_make_directory(cli->config.lockfile, error))
		return report_failure(EXIT_STATUS_FAILED, "lock: %s", error);
	if (cli->default_pidfile &&
	    !paths_make_directory(cli->config.pidfile, error))
		return report_failure(EXIT_STATUS_FAILED, "pidfile: %s", error);
	if (cli->default_log &&
	    !paths_make_directory(cli->config.log_path, error))
		return report_failure(EXIT_STATUS_FAILED, "log: %s", error);
	return EXIT_STATUS_OK;
}

static enum exit_status
cli_serve(const struct cli *cli, worker_main_fn *worker_main)
{
	struct cli_reloading reloading;
	struct supervisor_args args = {
		.config = &cli->config,
		.worker_main = worker_main,
		.argv = cli->argv,
		.reload = &reloading.supervisor,
		.background = cli->command == CLI_START,
	};
	enum exit_status status;

	cli_reloading_init(&reloading, cli);
	status = supervisor_run(&args);
	cli_reloading_fini(&reloading);
	return status;
}

enum exit_status
cli_run(const struct cli *cli, worker_main_fn *worker_main)
{
	enum exit_status status = cli_prepare(cli);

	return status == EXIT_STATUS_OK ? cli_serve(cli, worker_main) : status;
}

/* The background: no terminal, no directory kept busy, no standard streams, and
 * nothing else of the caller's but the pipe for the report. */
static void
cli_detach(int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int kept = STDERR_FILENO + 1;
	int wanted[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, kept };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	dup2(report, kept);
	descriptors_keep_only(wanted, sizeof(wanted) / sizeof(wanted[0]));
	fcntl(kept, F_SETFD, FD_CLOEXEC);
	report_into(kept);
	if (chdir("/") == -1)
		return; /* then it stays where it was called */
}

/* Wait for the report of the server that has been forked off. */
static enum exit_status
cli_await(pid_t between, int reports[2])
{
	enum exit_status status;

	close(reports[1]);
	while (waitpid(between, NULL, 0) == -1 && errno == EINTR)
		continue;
	status = report_relay(reports[0]);
	close(reports[0]);
	return status;
}

static enum exit_status
start_failure(int err)
{
	return report_failure(EXIT_STATUS_FAILED,
	    "cannot go to the background: %s", strerror(err));
}

enum exit_status
cli_start(const struct cli *cli, worker_main_fn *worker_main)
{
	enum exit_status status = cli_prepare(cli);
	int reports[2];
	pid_t pid;

	if (status != EXIT_STATUS_OK)
		return status;
	if (handover_is_there()) /* a restart: in the background already */
		return cli_serve(cli, worker_main);
	if (pipe2(reports, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		return start_failure(errno);
	if (pid != 0)
		return cli_await(pid, reports);
	setsid();
	/* Not a session's leader: it can never come by a terminal again. */
	pid = fork();
	if (pid == -1) {
		report_into(reports[1]);
		_exit((int)start_failure(errno));
	}
	if (pid != 0)
		_exit(EXIT_STATUS_OK);
	cli_detach(reports[1]);
	return cli_serve(cli, worker_main);
}

enum exit_status
cli_try(const struct cli *cli, const char *word)
{
	char terms[SUPERVISOR_TERMS_MAX];
	enum exit_status status;

	if (cli->command != CLI_RUN && cli->command != CLI_START)
		return report_failure(
		    EXIT_STATUS_USAGE, "%s: goes with run and start", word);
	status = cli_prepare(cli);
	if (status == EXIT_STATUS_OK &&
	    strcmp(word, SUPERVISOR_TRIAL_UPGRADE) == 0) {
		supervisor_terms(&cli->config, terms);
		fprintf(stderr, "%s\n", terms);
	}
	return status;
}
