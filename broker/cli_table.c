/* SPDX-License-Identifier: MIT */
/* cli_table.c - the options, and what each does with its value; see
 * cli_table.h. */

#include "broker/cli_table.h"

#include "broker/paths.h"
#include "common/address.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLI_KIB 1024u
#define CLI_MIB (1024u * CLI_KIB)
#define CLI_GIB (UINT64_C(1024) * CLI_MIB)

/* Which commands know an option: a bit per enum cli_command. */
#define CLI_SERVING  (1u << CLI_RUN | 1u << CLI_START)
#define CLI_TALKING  (1u << CLI_STOP | 1u << CLI_RESTART | 1u << CLI_STATUS)
#define CLI_INSTANCE (CLI_SERVING | CLI_TALKING)

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

const struct option cli_options[] = {
	{
	    .name = "listen",
	    .arg = "ADDR:PORT",
	    .words = "127.0.0.1:8000 and [::1]:8000",
	    .help = "where to listen; repeatable; port 0: any free one",
	    .commands = CLI_SERVING,
	    .set = cli_set_listen,
	},
	{
	    .name = "workers",
	    .arg = "N",
	    .words = "one per core this process may use",
	    .help = "worker processes",
	    .commands = CLI_SERVING,
	    .set = cli_set_count,
	    .at = MEMBER(workers),
	    .min = 1,
	    .max = CONFIG_WORKERS_MAX,
	},
	{
	    .name = "name",
	    .arg = "NAME",
	    .initial = "main",
	    .help = "instance: names its segment, pidfile and log",
	    .commands = CLI_INSTANCE,
	    .set = cli_set_name,
	},
	{
	    .name = "root",
	    .arg = "DIR",
	    .words = "public/ beside the program, or as installed",
	    .help = "directory of the static files",
	    .commands = CLI_SERVING,
	    .set = cli_set_path,
	    .path = true,
	    .at = MEMBER(root),
	},
	{
	    .name = "ring-size",
	    .arg = "BYTES",
	    .initial = "32M",
	    .help = "shared ring: how far a reader may be behind",
	    .commands = CLI_SERVING,
	    .set = cli_set_size64,
	    .at = MEMBER(ring_size),
	    .min = 4 * CLI_KIB,
	    .max = 1024 * CLI_GIB,
	},
	{
	    .name = "max-topics",
	    .arg = "N",
	    .initial = "32768",
	    .help = "topics with a subscriber at one time",
	    .commands = CLI_SERVING,
	    .set = cli_set_count,
	    .at = MEMBER(max_topics),
	    .min = 1,
	    .max = 1u << 20,
	},
	{
	    .name = "drain",
	    .arg = "SECONDS",
	    .initial = "5",
	    .help = "how long a stop or restart may take",
	    .commands = CLI_SERVING,
	    .set = cli_set_seconds,
	    .at = MEMBER(drain_ms),
	    .min = 0,
	    .max = 3600 * 1000,
	},
	{
	    .name = "allow-origin",
	    .arg = "URL",
	    .words = "the request's own host",
	    .help = "another site whose pages may connect; repeatable",
	    .commands = CLI_SERVING,
	    .set = cli_set_origin,
	},
	{
	    .name = "allow-host",
	    .arg = "NAME",
	    .words = "loopback names, on loopback",
	    .help = "Host that a proxy passes on; repeatable",
	    .commands = CLI_SERVING,
	    .set = cli_set_host,
	},
	{
	    .name = "admin",
	    .arg = "ADDR:PORT|none",
	    .words = "none",
	    .help = "reserved: nothing listens there yet",
	    .commands = CLI_SERVING,
	    .set = cli_set_admin,
	},
	{
	    .name = "log",
	    .arg = "FILE",
	    .words = "see below",
	    .help = "log file",
	    .commands = CLI_SERVING,
	    .set = cli_set_path,
	    .path = true,
	    .at = MEMBER(log_path),
	},
	{
	    .name = "log-level",
	    .arg = "LEVEL",
	    .initial = "info",
	    .help = "error, warn, info or debug",
	    .commands = CLI_SERVING,
	    .set = cli_set_level,
	},
	{
	    .name = "pidfile",
	    .arg = "FILE",
	    .words = "see below",
	    .help = "file whose locks say who runs",
	    .commands = CLI_INSTANCE,
	    .set = cli_set_path,
	    .path = true,
	    .at = MEMBER(pidfile),
	},
	{
	    .name = "max-message",
	    .arg = "BYTES",
	    .initial = "64K",
	    .help = "JSON text of a message",
	    .commands = CLI_SERVING,
	    .set = cli_set_size32,
	    .at = MEMBER(max_message),
	    .min = 1,
	    .max = 16 * CLI_MIB,
	},
	{
	    .name = "max-conns",
	    .arg = "N",
	    .words = "from the limit on descriptors",
	    .help = "connections per worker",
	    .commands = CLI_SERVING,
	    .set = cli_set_count,
	    .at = MEMBER(max_conns),
	    .min = 1,
	    .max = 1u << 24,
	},
	{
	    .name = "max-conns-per-address",
	    .arg = "N",
	    .initial = "1024",
	    .help = "of these, from one address; loopback is exempt",
	    .commands = CLI_SERVING,
	    .set = cli_set_count,
	    .at = MEMBER(max_conns_per_address),
	    .min = 1,
	    .max = 1u << 24,
	},
	{
	    .name = "max-topics-per-conn",
	    .arg = "N",
	    .initial = "128",
	    .help = "subscriptions of one connection",
	    .commands = CLI_SERVING,
	    .set = cli_set_count,
	    .at = MEMBER(max_topics_per_conn),
	    .min = 1,
	    .max = 1u << 20,
	},
	{
	    .name = "rate",
	    .arg = "N",
	    .initial = "10000",
	    .help = "messages per second a connection may publish; 0: any",
	    .commands = CLI_SERVING,
	    .set = cli_set_count,
	    .at = MEMBER(rate),
	    .min = 0,
	    .max = 1u << 30,
	},
	{
	    .name = "max-buffer",
	    .arg = "N",
	    .initial = "4096",
	    .help = "messages that a client may ask to have buffered",
	    .commands = CLI_SERVING,
	    .set = cli_set_count,
	    .at = MEMBER(max_buffer),
	    .min = 0,
	    .max = 1u << 24,
	},
	{
	    .name = "max-worker-memory",
	    .arg = "BYTES",
	    .initial = "256M",
	    .help = "output that a worker buffers for slow clients",
	    .commands = CLI_SERVING,
	    .set = cli_set_size64,
	    .at = MEMBER(max_worker_memory),
	    .min = CLI_MIB,
	    .max = 1024 * CLI_GIB,
	},
	{
	    .name = "ping-interval",
	    .arg = "SECONDS",
	    .initial = "54",
	    .help = "between pings to a silent client; 0: none",
	    .commands = CLI_SERVING,
	    .set = cli_set_seconds,
	    .at = MEMBER(ping_interval_ms),
	    .min = 0,
	    .max = 24 * 3600 * 1000,
	},
	{
	    .name = "watchdog",
	    .arg = "0|1",
	    .initial = "1",
	    .help = "kill and replace a worker that hangs",
	    .commands = CLI_SERVING,
	    .set = cli_set_bool,
	    .at = MEMBER(watchdog),
	},
	{
	    .name = "user",
	    .arg = "NAME",
	    .words = "who starts it",
	    .help = "user that the workers become; for root",
	    .commands = CLI_SERVING,
	    .set = cli_set_user,
	},
	{
	    .name = "no-respawn",
	    .help = "do not replace a dead worker; for tests",
	    .commands = CLI_SERVING,
	    .set = cli_set_no_respawn,
	},
	{
	    .name = "json",
	    .help = "status: print one JSON object",
	    .commands = 1u << CLI_STATUS,
	    .set = cli_set_json,
	},
};

const size_t cli_option_count = sizeof(cli_options) / sizeof(cli_options[0]);

const struct command cli_commands[] = {
	[CLI_RUN] = { "run", "serve in the foreground, log to stderr" },
	[CLI_START] = { "start", "serve in the background; back when ready" },
	[CLI_STOP] = { "stop", "drain, then stop" },
	[CLI_RESTART] = { "restart",
	    "drain, then serve with the program now on disk" },
	[CLI_STATUS] = { "status", "what the server and its workers do" },
	[CLI_VERSION] = { "version", "print the version" },
	[CLI_HELP] = { "help", "print this" },
};

const size_t cli_command_count = sizeof(cli_commands) / sizeof(cli_commands[0]);
