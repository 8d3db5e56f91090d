/* SPDX-License-Identifier: MIT */
/* check.c - see check.h. */

#include "broker/cli/check.h"

#include "broker/cli/named_files.h"
#include "broker/cli/option_change.h"
#include "broker/cli/option_table.h"
#include "broker/cli/settings.h"
#include "broker/cli/topic_table.h"
#include "common/address.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static void
check_print(const char *name, enum option_change change, const char *value,
    const char *origin)
{
	printf("%-22s %-10s %-28s %s\n", name, option_change_word(change),
	    value, origin);
}

static void
check_print_value(
    const struct option *option, const char *value, const char *origin)
{
	check_print(option->name, option->change, value, origin);
}

static void
check_print_setting(const struct cli *cli, const struct cli_setting *setting)
{
	const struct option *option = setting->option;
	const char *value = option->arg == NULL && setting->value[0] == '\0'
	                        ? "1"
	                        : setting->value;
	char variable[SETTINGS_VARIABLE_MAX], origin[PATH_MAX + 16] = "";

	switch (setting->origin) {
	case CLI_DEFAULT:
		break;
	case CLI_FILE:
		snprintf(origin, sizeof(origin), "%s:%u", cli->conf_path,
		    setting->line);
		break;
	case CLI_ENVIRONMENT:
		settings_variable(option, variable);
		snprintf(origin, sizeof(origin), "%s", variable);
		break;
	case CLI_FLAG:
		snprintf(origin, sizeof(origin), "--%s", option->name);
		break;
	}
	/* As the server takes it: a relative path is made absolute. */
	if (option->path && !option->repeats)
		value = *(const char *const *)(const void *)((const char *)cli +
							     option->at);
	check_print_value(option, value, origin);
}

static void
check_print_addresses(const struct option *option,
    const struct config_address *list, size_t count)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		check_print_value(
		    option, address_format(&list[i], text), "default");
}

/* An option that nobody says: what has been worked out, or the words of the
 * table. */
static void
check_print_default(const struct cli *cli, const struct option *option)
{
	const struct config *config = &cli->config;
	const char *path = NULL;
	char text[PATH_MAX];

	if (option->path && !option->repeats)
		path = *(const char *const *)(const void *)((const char *)cli +
							    option->at);
	if (option->initial != NULL) {
		check_print_value(option, option->initial, "default");
	} else if (path != NULL) {
		check_print_value(option, path,
		    path == cli->conf_path && !cli->has_conf
			? "default: there is none"
			: "default");
	} else if (strcmp(option->name, "workers") == 0) {
		snprintf(text, sizeof(text), "%u", config->workers);
		check_print_value(option, text, "default");
	} else if (strcmp(option->name, "listen") == 0) {
		check_print_addresses(
		    option, config->listen, config->listen_count);
	} else if (strcmp(option->name, "admin") == 0) {
		check_print_addresses(option, &config->admin, 1);
	} else if (option->arg == NULL) {
		check_print_value(option, "0", "default");
	} else {
		snprintf(text, sizeof(text), "default: %s", option->words);
		check_print_value(option, "-", text);
	}
}

/* The highest origin that has a value for the option. */
static enum cli_origin
check_origin(const struct cli *cli, const struct option *option)
{
	enum cli_origin origin = CLI_DEFAULT;

	for (size_t i = 0; i < cli->settings_len; i++)
		if (cli->settings[i].option == option &&
		    cli->settings[i].origin > origin)
			origin = cli->settings[i].origin;
	return origin;
}

/* The values in force: all of a list, the last of anything else. */
static void
check_print_option(const struct cli *cli, const struct option *option)
{
	enum cli_origin origin = check_origin(cli, option);
	const struct cli_setting *last = NULL;

	for (size_t i = 0; i < cli->settings_len; i++) {
		const struct cli_setting *setting = &cli->settings[i];

		if (setting->option != option || setting->origin != origin)
			continue;
		if (option->repeats)
			check_print_setting(cli, setting);
		last = setting;
	}
	if (last == NULL)
		check_print_default(cli, option);
	else if (!option->repeats)
		check_print_setting(cli, last);
}

/* What the sections of the file say of topics, each behind its title. */
static void
check_print_topics(const struct cli *cli)
{
	const struct policies *policies = &cli->config.policies;
	char name[PATTERN_MAX + 32], origin[PATH_MAX + 16];

	for (uint32_t i = 0; i < policies->count; i++)
		for (size_t key = 0; key < POLICY_KEYS; key++) {
			const struct cli_topic_said *said =
			    &cli->topics[i].said[key];

			if (said->line == 0)
				continue;
			snprintf(name, sizeof(name), "[topic \"%.*s\"] %s",
			    policies->sections[i].pattern_len,
			    policies->sections[i].pattern,
			    topic_settings[key].name);
			snprintf(origin, sizeof(origin), "%s:%u",
			    cli->conf_path, said->line);
			check_print(name, OPTION_RELOAD, said->value, origin);
		}
}

enum exit_status
cli_print_options_in_force(const struct cli *cli)
{
	printf("%-22s %-10s %-28s %s\n", "OPTION", "CHANGED BY", "VALUE",
	    "SAID BY");
	for (size_t i = 0; i < cli_option_count; i++)
		if ((cli_options[i].commands & 1u << CLI_CHECK) != 0)
			check_print_option(cli, &cli_options[i]);
	check_print_topics(cli);
	settings_warn_of_variables();
	return cli_check_named_files(cli) ? report_printed()
	                                  : EXIT_STATUS_FAILED;
}

enum exit_status
cli_print_faults(const struct cli *cli, const char *error)
{
	for (size_t i = 0; i < cli->faults_len; i++)
		fprintf(stderr, "%s\n", cli->faults[i]);
	return cli->faults_len > 0
	           ? EXIT_STATUS_USAGE
	           : report_failure(EXIT_STATUS_USAGE, "%s", error);
}
