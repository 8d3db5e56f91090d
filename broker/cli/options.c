/* SPDX-License-Identifier: MIT */
/* options.c - walk a command line with the table of options; see
 * options.h. */

#include "broker/cli/options.h"

#include "broker/cli/option_check.h"
#include "broker/cli/option_find.h"
#include "broker/cli/option_table.h"
#include "broker/cli/settings.h"
#include "broker/host/cgroup.h"
#include "broker/host/listeners.h"
#include "broker/host/paths.h"
#include "common/address.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Append "--name=value" to the call that execv(2) will repeat. */
static void
cli_remember(struct cli *cli, const struct option *option, const char *value)
{
	size_t count = 0;
	char *arg;
	int n;

	while (cli->argv[count] != NULL)
		count++;
	if (option->path)
		value = option->repeats
		            ? cli->last_path
		            : *(const char **)cli_member(cli, option);
	if (option->arg == NULL)
		n = asprintf(&arg, "--%s", option->name);
	else
		n = asprintf(&arg, "--%s=%s", option->name, value);
	CHECK(n != -1);
	cli->argv[count] = settings_own(cli, arg);
}

/* Parse one option at *argv, which moves behind it and its value. */
static bool
cli_parse_option(struct cli *cli, char ***argv, struct cli_setting *out,
    char error[CLI_ERROR_MAX])
{
	const char *arg = *(*argv)++;
	const char *equals = arg[1] == '-' ? strchr(arg, '=') : NULL;
	const struct option *option = cli_find_option(cli->command, arg, error);
	const char *value = NULL;

	if (option == NULL)
		return false;
	if (equals != NULL)
		value = equals + 1;
	else if (arg[1] != '-' && arg[2] != '\0')
		value = arg + 2;
	else if (option->arg != NULL && **argv != NULL)
		value = *(*argv)++;
	if ((value != NULL) != (option->arg != NULL)) {
		snprintf(error, CLI_ERROR_MAX, "--%s: %s%s", option->name,
		    value != NULL ? "takes no value" : "needs a value: ",
		    value != NULL ? "" : option->arg);
		return false;
	}
	out->option = option;
	out->value = value != NULL ? value : "";
	out->origin = CLI_FLAG;
	return true;
}

/* Take a word that is no option. */
static bool
cli_take_word(struct cli *cli, const char *word, char error[CLI_ERROR_MAX])
{
	const struct command *command = &cli_commands[cli->command];

	if (command->words_max == 0)
		return cli_no_words(cli->command, word, error);
	if (cli->words_len == command->words_max) {
		snprintf(error, CLI_ERROR_MAX,
		    "%s: one word too many; a message with spaces needs quotes",
		    word);
		return false;
	}
	cli->words[cli->words_len++] = word;
	return true;
}

/* `COMMAND --help' is `help COMMAND'. */
static bool
cli_asks_for_help(struct cli *cli, const char *arg)
{
	if (strcmp(arg, "--help") != 0 && strcmp(arg, "-h") != 0)
		return false;
	cli->words[0] = cli_commands[cli->command].name;
	cli->words_len = 1;
	cli->command = CLI_HELP;
	return true;
}

/* Parse what stands behind the command.  The options are only written to flags,
 * up to one without an option. */
static bool
cli_parse_rest(struct cli *cli, char **argv, struct cli_setting *flags,
    char error[CLI_ERROR_MAX])
{
	const struct command *command = &cli_commands[cli->command];
	bool has_options = true;

	while (*argv != NULL) {
		const char *arg = *argv;

		if (!has_options || arg[0] != '-' || arg[1] == '\0') {
			if (!cli_take_word(cli, *argv++, error))
				return false;
		} else if (command->words_max > 0 && strcmp(arg, "--") == 0) {
			has_options = false;
			argv++;
		} else if (cli_asks_for_help(cli, arg)) {
			return true;
		} else if (!cli_parse_option(cli, &argv, flags++, error)) {
			return false;
		}
	}
	if (cli->words_len >= command->words_min)
		return true;
	snprintf(error, CLI_ERROR_MAX, "%s: needs %s", command->name,
	    command->words);
	return false;
}

/* Fill in the defaults that the table has as text. */
static void
cli_set_defaults(struct cli *cli)
{
	char why[VALUES_WHY_MAX];

	cli->config.respawn = true;
	cli->config.sandbox = true;
	cli->default_admin = true;
	for (size_t i = 0; i < cli_option_count; i++)
		if (cli_options[i].initial != NULL)
			CHECK(cli_options[i].set(
			    cli, &cli_options[i], cli_options[i].initial, why));
	cli->client.is_named = false; /* by nobody but us */
}

/* Find out which instance and which file are meant.  What is wrong with that is
 * told when all options are applied.  Returns false if something is. */
static bool
cli_find_instance(struct cli *cli, const struct cli_setting *flags)
{
	char variable[SETTINGS_VARIABLE_MAX], why[VALUES_WHY_MAX];

	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];
		const char *value;

		if (!option->not_in_file)
			continue;
		value = getenv(settings_variable(option, variable));
		for (size_t n = 0; flags[n].option != NULL; n++)
			if (flags[n].option == option)
				value = flags[n].value;
		if (value != NULL && value[0] != '\0' &&
		    !option->set(cli, option, value, why))
			return false;
	}
	return true;
}

static bool
cli_apply_flags(struct cli *cli, const struct cli_setting *flags)
{
	char why[VALUES_WHY_MAX];

	for (; flags->option != NULL; flags++) {
		if (!settings_apply(cli, flags, why)) {
			settings_fault(cli, "--%s %.200s: %s",
			    flags->option->name, flags->value, why);
			return false;
		}
		cli_remember(cli, flags->option, flags->value);
	}
	return true;
}

/* Apply the file, then the environment, then the command line. */
static bool
cli_apply_all(struct cli *cli, const struct cli_setting *flags)
{
	bool named;

	if ((1u << cli->command & CLI_CONFIGURED) != 0 &&
	    cli_find_instance(cli, flags))
		settings_apply_file(cli);
	cli->client.is_named = false;
	settings_apply_environment(cli);
	named = cli->client.is_named;
	cli->client.is_named = false;
	if (!cli_apply_flags(cli, flags))
		return false;
	/* The instance of the environment is meant unless a flag says where. */
	if (cli->client.url_count == 0 && named)
		cli->client.is_named = true;
	return cli->faults_len == 0;
}

/* Say the first fault, and how many there are. */
static bool
cli_is_faulty(const struct cli *cli, char error[CLI_ERROR_MAX])
{
	if (cli->faults_len == 1)
		snprintf(error, CLI_ERROR_MAX, "%s", cli->faults[0]);
	else
		snprintf(error, CLI_ERROR_MAX,
		    "%.400s (and %zu more: see 'pubsubd check')",
		    cli->faults[0], cli->faults_len - 1);
	return false;
}

/* Processors that this process may use, as far as there can be workers. */
static unsigned
cli_core_count(void)
{
	unsigned n = cgroup_processors();

	return n > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : n;
}

/* The operator's pages are on loopback, on the port after the highest public
 * one; on any port if that is any. */
static void
cli_default_admin(struct config *config)
{
	uint32_t port = 0;

	CHECK(address_parse(&config->admin, "127.0.0.1:0") == NULL);
	for (size_t i = 0; i < config->listen_count; i++) {
		uint32_t public = address_port(&config->listen[i]);

		if (address_wants_port(&config->listen[i]))
			return;
		if (public >= port && public != 0)
			port = public + 1;
	}
	/* None has a port: as if it were the default. */
	if (port == 0)
		port = CLI_ADMIN_PORT;
	if (port <= UINT16_MAX)
		address_set_port(&config->admin, (uint16_t)port);
	else
		config->admin.len = 0; /* cli_check_admin() says so */
}

/* [::]:PORT is for IPv4 too, as everybody writes it, unless an address of IPv4
 * has the port for itself (*:PORT stands for both). */
static void
cli_open_to_ipv4(struct config *config)
{
	config->admin.dual = address_is_any_ipv6(&config->admin);
	for (size_t i = 0; i < config->listen_count; i++) {
		struct config_address *address = &config->listen[i];

		address->dual = address_is_any_ipv6(address);
		for (size_t n = 0; n < config->listen_count; n++)
			if (config->listen[n].addr.ss_family == AF_INET &&
			    address_port(&config->listen[n]) ==
				address_port(address))
				address->dual = false;
	}
}

/* Fill in the defaults that depend on this host and on other options. */
static void
cli_work_out_defaults(struct cli *cli)
{
	struct config *config = &cli->config;

	if (config->listen_count == 0)
		CHECK(
		    address_parse_listen(config->listen, &config->listen_count,
			CLI_PORT_DEFAULT, listeners_have_ipv6()) == NULL);
	if (cli->default_admin)
		cli_default_admin(config);
	for (size_t i = 0; i < cli->tls_listen_count; i++)
		config->listen[config->listen_count++] = cli->tls_listen[i];
	cli_open_to_ipv4(config);
	config->tls_count = cli->tls_cert_count;
	if (config->workers == 0)
		config->workers = cli_core_count();
	if (config->root == NULL)
		config->root = settings_own(cli, paths_default_root());
	config->lockfile = settings_own(cli, paths_lockfile(config->name));
	if (config->pidfile == NULL) {
		config->pidfile =
		    settings_own(cli, paths_default_pidfile(config->name));
		cli->default_pidfile = true;
	}
	if (config->log_path == NULL && cli->command == CLI_START) {
		config->log_path =
		    settings_own(cli, paths_default_log(config->name));
		cli->default_log = true;
	}
}

bool
cli_parse(struct cli *cli, char **argv, char error[CLI_ERROR_MAX])
{
	struct cli_setting *flags;
	size_t count = 0;

	while (argv[count] != NULL)
		count++;
	memset(cli, 0, sizeof(*cli));
	if (!cli_find_command(&cli->command, count > 0 ? argv[1] : NULL, error))
		return false;
	cli->argv = xcalloc(count + 1, sizeof(*cli->argv));
	cli->argv[0] = argv[0];
	cli->argv[1] = argv[1];
	cli->words = xcalloc(count + 1, sizeof(*cli->words));
	flags = settings_own(cli, xcalloc(count + 1, sizeof(*flags)));
	cli_set_defaults(cli);
	if (!cli_parse_rest(cli, argv + 2, flags, error))
		return false;
	if (cli->command == CLI_VERSION || cli->command == CLI_HELP)
		return true;
	if (!cli_apply_all(cli, flags))
		return cli_is_faulty(cli, error);
	cli_work_out_defaults(cli);
	return cli_check(cli, error);
}
