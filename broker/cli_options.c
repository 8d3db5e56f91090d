/* SPDX-License-Identifier: MIT */
/* cli_options.c - the table of options, and walking a command line with it; see
 * cli_options.h. */

#include "broker/cli_options.h"

#include "broker/cli_values.h"
#include "broker/listeners.h"
#include "broker/paths.h"
#include "broker/ring.h"
#include "common/address.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CLI_KIB 1024u
#define CLI_MIB (1024u * CLI_KIB)
#define CLI_GIB (UINT64_C(1024) * CLI_MIB)

/* Descriptors that a worker needs besides those of its connections: doorbells,
 * listeners, files on their way out. */
#define CLI_OTHER_DESCRIPTORS 128

/* Which commands know an option: a bit per enum cli_command. */
#define CLI_SERVING  (1u << CLI_RUN | 1u << CLI_START)
#define CLI_TALKING  (1u << CLI_STOP | 1u << CLI_RESTART | 1u << CLI_STATUS)
#define CLI_INSTANCE (CLI_SERVING | CLI_TALKING)

struct option {
	const char *name;    /* without the hyphens */
	const char *arg;     /* what stands for its value; NULL: it has none */
	const char *initial; /* its default, parsed like a value; or NULL */
	const char *words;   /* the default in words, where it is worked out */
	const char *help;
	unsigned commands;
	/* Put the value where it belongs, or say why not. */
	bool (*set)(struct cli *cli, const struct option *option,
	    const char *value, char why[VALUES_WHY_MAX]);
	size_t at; /* of the member in struct config */
	uint64_t min, max;
};

static void *
cli_member(struct cli *cli, const struct option *option)
{
	return (char *)&cli->config + option->at;
}

static bool
cli_set_count(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t n;

	if (!value_count(value, option->min, option->max, &n, why))
		return false;
	*(uint32_t *)cli_member(cli, option) = (uint32_t)n;
	return true;
}

static bool
cli_set_size32(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t n;

	if (!value_size(value, option->min, option->max, &n, why))
		return false;
	*(uint32_t *)cli_member(cli, option) = (uint32_t)n;
	return true;
}

static bool
cli_set_size64(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t *member = cli_member(cli, option);

	return value_size(value, option->min, option->max, member, why);
}

static bool
cli_set_seconds(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t ms;

	if (!value_seconds(value, option->min, option->max, &ms, why))
		return false;
	*(uint32_t *)cli_member(cli, option) = (uint32_t)ms;
	return true;
}

static bool
cli_set_bool(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t n;

	if (!value_count(value, 0, 1, &n, why))
		return false;
	*(bool *)cli_member(cli, option) = n == 1;
	return true;
}

static bool
cli_set_path(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	if (value[0] == '\0') {
		snprintf(why, VALUES_WHY_MAX, "must be a path");
		return false;
	}
	free(*(char **)cli_member(cli, option)); /* of an earlier one */
	*(char **)cli_member(cli, option) = paths_absolute(value);
	return true;
}

static bool
cli_set_name(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;

	if (!value_name(value, CONFIG_NAME_MAX, why))
		return false;
	snprintf(cli->config.name, sizeof(cli->config.name), "%s", value);
	return true;
}

static bool
cli_set_listen(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	struct config *config = &cli->config;
	struct config_address address;
	const char *wrong = address_parse(&address, value);

	(void)option;

	for (size_t i = 0; wrong == NULL && i < config->listen_count; i++)
		if (address_equal(&address, &config->listen[i]))
			wrong = "is given twice";
	if (wrong == NULL && config->listen_count == CONFIG_LISTEN_MAX)
		wrong = "is one address too many";
	if (wrong == NULL)
		config->listen[config->listen_count++] = address;
	else
		snprintf(why, VALUES_WHY_MAX, "%s", wrong);
	return wrong == NULL;
}

static bool
cli_set_admin(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	const char *wrong = NULL;

	(void)option;

	if (strcmp(value, "none") == 0)
		cli->config.admin.len = 0;
	else
		wrong = address_parse(&cli->config.admin, value);
	if (wrong != NULL)
		snprintf(why, VALUES_WHY_MAX, "%s", wrong);
	return wrong == NULL;
}

static bool
cli_set_level(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	int level = log_level_parse(value);

	(void)option;

	if (level == -1) {
		snprintf(
		    why, VALUES_WHY_MAX, "must be error, warn, info or debug");
		return false;
	}
	cli->config.log_level = (enum log_level)level;
	return true;
}

static bool
cli_set_user(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	const struct passwd *user = getpwnam(value);

	(void)option;

	if (user == NULL) {
		snprintf(why, VALUES_WHY_MAX, "there is no such user");
		return false;
	}
	if (geteuid() != 0 && user->pw_uid != geteuid()) {
		snprintf(why, VALUES_WHY_MAX,
		    "only root can start workers as another user");
		return false;
	}
	cli->config.user = value;
	cli->config.user_uid = user->pw_uid;
	cli->config.user_gid = user->pw_gid;
	return true;
}

/* Append to one of the two lists of names. */
static bool
cli_allow(const char **list, size_t *count, const char *value,
    char why[VALUES_WHY_MAX])
{
	if (*count == CONFIG_ALLOW_MAX) {
		snprintf(why, VALUES_WHY_MAX, "is one too many: %d are allowed",
		    CONFIG_ALLOW_MAX);
		return false;
	}
	list[(*count)++] = value;
	return true;
}

static bool
cli_set_origin(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	struct config *config = &cli->config;

	(void)option;
	return value_origin(value, why) &&
	       cli_allow(config->allow_origin, &config->allow_origin_count,
		   value, why);
}

static bool
cli_set_host(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	struct config *config = &cli->config;

	(void)option;
	return value_host(value, why) &&
	       cli_allow(
		   config->allow_host, &config->allow_host_count, value, why);
}

static bool
cli_set_no_respawn(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	(void)option;
	(void)value;
	(void)why;
	cli->config.respawn = false;
	return true;
}

static bool
cli_set_json(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;
	(void)value;
	(void)why;
	cli->json = true;
	return true;
}

#define MEMBER(member) offsetof(struct config, member)

static const struct option cli_options[] = {
	{ "listen", "ADDR:PORT", NULL, "127.0.0.1:8000 and [::1]:8000",
	    "where to listen; repeatable; port 0: any free one", CLI_SERVING,
	    cli_set_listen, 0, 0, 0 },
	{ "workers", "N", NULL, "one per core this process may use",
	    "worker processes", CLI_SERVING, cli_set_count, MEMBER(workers), 1,
	    CONFIG_WORKERS_MAX },
	{ "name", "NAME", "main", NULL,
	    "instance: names its segment, pidfile and log", CLI_INSTANCE,
	    cli_set_name, 0, 0, 0 },
	{ "root", "DIR", NULL, "public/ beside the program, or as installed",
	    "directory of the static files", CLI_SERVING, cli_set_path,
	    MEMBER(root), 0, 0 },
	{ "ring-size", "BYTES", "32M", NULL,
	    "shared ring: what a slow reader may be behind", CLI_SERVING,
	    cli_set_size64, MEMBER(ring_size), 4 * CLI_KIB, 1024 * CLI_GIB },
	{ "max-topics", "N", "32768", NULL,
	    "topics with a subscriber at one time", CLI_SERVING, cli_set_count,
	    MEMBER(max_topics), 1, 1u << 20 },
	{ "drain", "SECONDS", "5", NULL, "how long a stop or restart may take",
	    CLI_SERVING, cli_set_seconds, MEMBER(drain_ms), 0, 3600 * 1000 },
	{ "allow-origin", "URL", NULL, "the request's own host",
	    "another web page's origin that may connect; repeatable",
	    CLI_SERVING, cli_set_origin, 0, 0, 0 },
	{ "allow-host", "NAME", NULL, "loopback names, on loopback",
	    "a Host that a proxy may pass on; repeatable", CLI_SERVING,
	    cli_set_host, 0, 0, 0 },
	{ "admin", "ADDR:PORT|none", NULL, "none",
	    "operator's listener; reserved, nothing listens there yet",
	    CLI_SERVING, cli_set_admin, 0, 0, 0 },
	{ "log", "FILE", NULL, "run: stderr; start: see below", "log file",
	    CLI_SERVING, cli_set_path, MEMBER(log_path), 0, 0 },
	{ "log-level", "L", "info", NULL, "error, warn, info or debug",
	    CLI_SERVING, cli_set_level, 0, 0, 0 },
	{ "pidfile", "FILE", NULL, "see below", "file whose locks say who runs",
	    CLI_INSTANCE, cli_set_path, MEMBER(pidfile), 0, 0 },
	{ "max-message", "BYTES", "64K", NULL, "JSON text of a message",
	    CLI_SERVING, cli_set_size32, MEMBER(max_message), 1, 16 * CLI_MIB },
	{ "max-conns", "N", NULL, "from the limit on descriptors",
	    "connections per worker", CLI_SERVING, cli_set_count,
	    MEMBER(max_conns), 1, 1u << 24 },
	{ "max-conns-per-address", "N", "1024", NULL,
	    "the same from one address; loopback exempt", CLI_SERVING,
	    cli_set_count, MEMBER(max_conns_per_address), 1, 1u << 24 },
	{ "max-topics-per-conn", "N", "128", NULL,
	    "subscriptions of one connection", CLI_SERVING, cli_set_count,
	    MEMBER(max_topics_per_conn), 1, 1u << 20 },
	{ "rate", "N", "10000", NULL,
	    "messages a connection may publish a second; 0: any", CLI_SERVING,
	    cli_set_count, MEMBER(rate), 0, 1u << 30 },
	{ "max-buffer", "N", "4096", NULL,
	    "messages that a client may ask to have buffered", CLI_SERVING,
	    cli_set_count, MEMBER(max_buffer), 0, 1u << 24 },
	{ "max-worker-memory", "BYTES", "256M", NULL,
	    "output that a worker buffers for slow clients", CLI_SERVING,
	    cli_set_size64, MEMBER(max_worker_memory), CLI_MIB,
	    1024 * CLI_GIB },
	{ "ping-interval", "SECONDS", "54", NULL,
	    "between pings to a silent client; 0: none", CLI_SERVING,
	    cli_set_seconds, MEMBER(ping_interval_ms), 0, 24 * 3600 * 1000 },
	{ "watchdog", "0|1", "1", NULL, "kill and replace a worker that hangs",
	    CLI_SERVING, cli_set_bool, MEMBER(watchdog), 0, 0 },
	{ "user", "NAME", NULL, "who starts it",
	    "user that the workers become; for root", CLI_SERVING, cli_set_user,
	    0, 0, 0 },
	{ "no-respawn", NULL, NULL, NULL,
	    "do not replace a dead worker; for tests", CLI_SERVING,
	    cli_set_no_respawn, 0, 0, 0 },
	{ "json", NULL, NULL, NULL, "status: print one JSON object",
	    1u << CLI_STATUS, cli_set_json, 0, 0, 0 },
};

#define CLI_OPTION_COUNT (sizeof(cli_options) / sizeof(cli_options[0]))

static const struct {
	const char *name;
	const char *help;
} cli_commands[] = {
	[CLI_RUN] = { "run", "serve in the foreground, log to stderr" },
	[CLI_START] = { "start", "serve in the background; back when ready" },
	[CLI_STOP] = { "stop", "drain, then stop" },
	[CLI_RESTART] = { "restart",
	    "drain, then serve with the program now on disk" },
	[CLI_STATUS] = { "status", "what the server and its workers do" },
	[CLI_VERSION] = { "version", "print the version" },
	[CLI_HELP] = { "help", "print this" },
};

#define CLI_COMMAND_COUNT (sizeof(cli_commands) / sizeof(cli_commands[0]))

static bool
cli_find_command(struct cli *cli, const char *name, char error[CLI_ERROR_MAX])
{
	if (name == NULL) {
		snprintf(error, CLI_ERROR_MAX,
		    "a command is missing; try 'pubsubd help'");
		return false;
	}
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		const char *known = cli_commands[i].name;

		if (strcmp(name, known) == 0 ||
		    (strncmp(name, "--", 2) == 0 && i >= CLI_VERSION &&
			strcmp(name + 2, known) == 0)) {
			cli->command = (enum cli_command)i;
			return true;
		}
	}
	snprintf(error, CLI_ERROR_MAX,
	    "%s: no such command; try 'pubsubd help'", name);
	return false;
}

/* The option of this name (len bytes), or NULL with a reason. */
static const struct option *
cli_find_option(enum cli_command command, const char *name, size_t len,
    char error[CLI_ERROR_MAX])
{
	for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct option *option = &cli_options[i];

		if (strlen(option->name) != len ||
		    memcmp(option->name, name, len) != 0)
			continue;
		if ((option->commands & 1u << command) != 0)
			return option;
		snprintf(error, CLI_ERROR_MAX, "--%s: not an option of '%s'",
		    option->name, cli_commands[command].name);
		return NULL;
	}
	snprintf(error, CLI_ERROR_MAX,
	    "--%.*s: no such option; try 'pubsubd help'", (int)len, name);
	return NULL;
}

/* Append "--name=value" to the call that execv(2) will repeat. */
static void
cli_remember(struct cli *cli, const struct option *option, const char *value)
{
	size_t count = 0;
	char *arg;
	int n;

	while (cli->argv[count] != NULL)
		count++;
	if (option->set == cli_set_path)
		value = *(const char **)cli_member(cli, option);
	if (option->arg == NULL)
		n = asprintf(&arg, "--%s", option->name);
	else
		n = asprintf(&arg, "--%s=%s", option->name, value);
	CHECK(n != -1);
	cli->argv[count] = arg;
}

static bool
cli_set(struct cli *cli, const struct option *option, const char *value,
    char error[CLI_ERROR_MAX])
{
	char why[VALUES_WHY_MAX];

	if (option->set(cli, option, value, why))
		return true;
	snprintf(error, CLI_ERROR_MAX, "--%s %s: %s", option->name, value, why);
	return false;
}

/* Parse one option at *argv, which moves behind it and its value. */
static bool
cli_parse_option(struct cli *cli, char ***argv, char error[CLI_ERROR_MAX])
{
	const char *arg = *(*argv)++;
	const char *equals = strchr(arg, '=');
	const struct option *option;
	const char *value = NULL;
	size_t len;

	if (strncmp(arg, "--", 2) != 0 || arg[2] == '\0') {
		snprintf(error, CLI_ERROR_MAX,
		    "%s: not an option; try 'pubsubd help'", arg);
		return false;
	}
	arg += 2;
	len = equals != NULL ? (size_t)(equals - arg) : strlen(arg);
	option = cli_find_option(cli->command, arg, len, error);
	if (option == NULL)
		return false;
	if (equals != NULL)
		value = equals + 1;
	else if (option->arg != NULL && **argv != NULL)
		value = *(*argv)++;
	if ((value != NULL) != (option->arg != NULL)) {
		snprintf(error, CLI_ERROR_MAX, "--%s: %s%s", option->name,
		    value != NULL ? "takes no value" : "needs a value: ",
		    value != NULL ? "" : option->arg);
		return false;
	}
	if (!cli_set(cli, option, value != NULL ? value : "", error))
		return false;
	cli_remember(cli, option, value);
	return true;
}

/* Fill in the defaults that the table has as text. */
static void
cli_set_defaults(struct cli *cli)
{
	char error[CLI_ERROR_MAX];

	cli->config.respawn = true;
	for (size_t i = 0; i < CLI_OPTION_COUNT; i++)
		if (cli_options[i].initial != NULL)
			CHECK(cli_set(cli, &cli_options[i],
			    cli_options[i].initial, error));
}

/* Cores that this process may use. */
static unsigned
cli_core_count(void)
{
	cpu_set_t cores;
	int n = 0;

	if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
		n = CPU_COUNT(&cores);
	if (n < 1)
		n = 1;
	return n > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : (unsigned)n;
}

/* Fill in the defaults that depend on this host and on other options. */
static void
cli_work_out_defaults(struct cli *cli)
{
	struct config *config = &cli->config;
	char why[VALUES_WHY_MAX];

	if (config->listen_count == 0) {
		CHECK(cli_set_listen(cli, NULL, "127.0.0.1:8000", why));
		if (listeners_have_ipv6())
			CHECK(cli_set_listen(cli, NULL, "[::1]:8000", why));
	}
	if (config->workers == 0)
		config->workers = cli_core_count();
	if (config->root == NULL)
		config->root = paths_default_root();
	if (config->pidfile == NULL) {
		config->pidfile = paths_default_pidfile(config->name);
		cli->default_pidfile = true;
	}
	if (config->log_path == NULL && cli->command == CLI_START) {
		config->log_path = paths_default_log(config->name);
		cli->default_log = true;
	}
}

/* What one option alone cannot know. */
static bool
cli_check(const struct config *config, char error[CLI_ERROR_MAX])
{
	uint64_t least =
	    RING_RECORDS_MIN * ring_record_max(config->max_message);
	char size[24], limit[24], message[24];
	struct rlimit descriptors;

	if (config->ring_size < least) {
		snprintf(error, CLI_ERROR_MAX,
		    "--ring-size %s: must be at least %s, %u times the largest "
		    "record, for --max-message %s",
		    value_size_format(config->ring_size, size),
		    value_size_format(
			(least + CLI_KIB - 1) / CLI_KIB * CLI_KIB, limit),
		    (unsigned)RING_RECORDS_MIN,
		    value_size_format(config->max_message, message));
		return false;
	}
	if (config->max_conns != 0 &&
	    getrlimit(RLIMIT_NOFILE, &descriptors) == 0 &&
	    descriptors.rlim_max < config->max_conns + CLI_OTHER_DESCRIPTORS) {
		snprintf(error, CLI_ERROR_MAX,
		    "--max-conns %u: the limit on descriptors is %llu "
		    "(ulimit -Hn), %u of them for other things",
		    config->max_conns, (unsigned long long)descriptors.rlim_max,
		    CLI_OTHER_DESCRIPTORS);
		return false;
	}
	return true;
}

bool
cli_parse(struct cli *cli, char **argv, char error[CLI_ERROR_MAX])
{
	size_t count = 0;

	while (argv[count] != NULL)
		count++;
	memset(cli, 0, sizeof(*cli));
	if (!cli_find_command(cli, count > 0 ? argv[1] : NULL, error))
		return false;
	cli->argv = xcalloc(count + 1, sizeof(*cli->argv));
	cli->argv[0] = argv[0];
	cli->argv[1] = argv[1];
	cli_set_defaults(cli);
	for (argv += 2; *argv != NULL;)
		if (!cli_parse_option(cli, &argv, error))
			return false;
	if (cli->command == CLI_VERSION || cli->command == CLI_HELP)
		return true;
	cli_work_out_defaults(cli);
	return cli_check(&cli->config, error);
}

static const char *
cli_default_text(const struct option *option)
{
	if (option->initial != NULL)
		return option->initial;
	return option->words != NULL ? option->words : "off";
}

void
cli_print_help(void)
{
	char left[64];

	printf("usage: pubsubd COMMAND [OPTIONS]\n\n");
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		printf(
		    "  %-10s %s\n", cli_commands[i].name, cli_commands[i].help);
	printf("\nstop, restart and status know --name and --pidfile; status "
	       "also --json.\n\n");
	for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct option *option = &cli_options[i];

		snprintf(left, sizeof(left), "--%s %s", option->name,
		    option->arg != NULL ? option->arg : "");
		printf("  %-26s %s [%s]\n", left, option->help,
		    cli_default_text(option));
	}
	printf(
	    "\nPidfile: /run/pubsubd/NAME.pid for root, otherwise in "
	    "$XDG_RUNTIME_DIR/pubsubd or\n/tmp/pubsubd-UID.  Log of `start': "
	    "/var/log/pubsubd/NAME.log for root, otherwise\nin "
	    "~/.local/state/pubsubd.  An option's value may follow after a "
	    "space or after '='.\n"
	    "Exit status: 0 ok, 1 failed, 2 usage, 3 not running, 4 already "
	    "running.\n");
}
