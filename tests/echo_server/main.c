/* SPDX-License-Identifier: MIT */
/*
 * main.c - echo-server: pubsubd with an echo in place of publish and subscribe,
 * for WebSocket conformance suites.
 *
 *	echo-server --listen 127.0.0.1:9001 [any option of `pubsubd run']
 *
 * Supervisor, listeners, HTTP, upgrade, WebSocket and limits are pubsubd's, and
 * so are its options with their defaults, but for what suits a suite: an
 * instance of its own, no operator's pages, messages up to 16 MiB.  The clients
 * connect to /ws.  `pubsubd status' and `stop' know it by --name echo.
 *
 * No message goes through the ring, so it has the least size, whatever the
 * messages have: the rule that it must hold sixteen of the largest would want
 * 256 MiB of /dev/shm.
 */

#include "broker/cli/options.h"
#include "broker/cli/start.h"
#include "broker/host/report.h"
#include "common/xmalloc.h"
#include "tests/echo_server/echo.h"
#include "worker/worker.h"

#include <string.h>

/* Bytes: room for records of no message at all. */
#define ECHO_RING_SIZE (64u * 1024)

/* Stands in front of what was said, which so has the last word. */
static const char *const echo_defaults[] = { "run", "--name=echo",
	"--admin=none", "--max-message=16M", "--ring-size=1G" };

#define ECHO_DEFAULTS (sizeof(echo_defaults) / sizeof(echo_defaults[0]))

/* A worker_main_fn. */
static int
echo_worker_main(const struct worker_args *args)
{
	return worker_serve(args, &echo_service);
}

/* The command line as pubsubd would have it; a `run' may stand there, as it
 * does with pubsubd.  Owns: the caller, free(3). */
static char **
echo_command_line(int argc, char **argv)
{
	char **line = xcalloc((size_t)argc + ECHO_DEFAULTS + 1, sizeof(*line));
	size_t count = 0;
	int i = argc > 1 && strcmp(argv[1], echo_defaults[0]) == 0 ? 2 : 1;

	line[count++] = argv[0];
	for (size_t d = 0; d < ECHO_DEFAULTS; d++)
		line[count++] = xstrdup(echo_defaults[d]);
	for (; i < argc; i++)
		line[count++] = argv[i];
	return line;
}

int
main(int argc, char **argv)
{
	static struct cli cli; /* what they own lives as long as the process */
	static char **line;
	char error[CLI_ERROR_MAX];

	line = echo_command_line(argc, argv);
	if (!cli_parse(&cli, line, error))
		return (int)report_failure(EXIT_STATUS_USAGE, "%s", error);
	cli.config.ring_size = ECHO_RING_SIZE;
	return (int)cli_run(&cli, echo_worker_main);
}
