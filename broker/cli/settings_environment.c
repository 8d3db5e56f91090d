/* SPDX-License-Identifier: MIT */
/* settings_environment.c - what the environment says; see settings.h. */

#include "broker/cli/option_table.h"
#include "broker/cli/settings.h"
#include "broker/cli/suggest.h"
#include "common/xmalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT_PREFIX "PUBSUBD_"

const char *
settings_variable(const struct option *option, char out[SETTINGS_VARIABLE_MAX])
{
	snprintf(
	    out, SETTINGS_VARIABLE_MAX, ENVIRONMENT_PREFIX "%s", option->name);
	for (char *p = out; *p != '\0'; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	return out;
}

static void
environment_apply(struct cli *cli, const struct option *option,
    const char *variable, const char *value)
{
	struct cli_setting setting = {
		.option = option,
		.value = value,
		.origin = CLI_ENVIRONMENT,
	};
	char why[VALUES_WHY_MAX];

	/* A restart and a reload read it again, in another directory. */
	if (option->path && value[0] != '/' &&
	    strcmp(value, CLI_CONF_NONE) != 0)
		settings_fault(
		    cli, "%s=%s: must be an absolute path", variable, value);
	else if (!settings_apply(cli, &setting, why))
		settings_fault(cli, "%s=%s: %s", variable, value, why);
}

/* Apply each of the values that have blanks between them. */
static void
environment_apply_list(struct cli *cli, const struct option *option,
    const char *variable, char *values)
{
	char *rest = values, *value;

	while ((value = strsep(&rest, " \t\n")) != NULL)
		if (value[0] != '\0')
			environment_apply(cli, option, variable, value);
}

void
settings_apply_environment(struct cli *cli)
{
	char variable[SETTINGS_VARIABLE_MAX];

	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];
		char *value;

		if ((option->commands & 1u << CLI_RUN) == 0 ||
		    (option->commands & 1u << cli->command) == 0)
			continue;
		value = getenv(settings_variable(option, variable));
		if (value == NULL || value[0] == '\0')
			continue;
		value = settings_own(cli, xstrdup(value));
		if (option->repeats)
			environment_apply_list(cli, option, variable, value);
		else
			environment_apply(cli, option, variable, value);
	}
}

/* The option of a server whose name comes closest to a word, and whether it is
 * that.  Returns NULL if none comes close. */
static const struct option *
environment_closest(const char *word, bool *is_it)
{
	struct suggestion suggestion = { .word = word };
	const struct option *closest = NULL;

	*is_it = false;
	for (size_t i = 0; i < cli_option_count && !*is_it; i++) {
		const struct option *option = &cli_options[i];

		if ((option->commands & 1u << CLI_RUN) == 0)
			continue;
		suggestion_try(&suggestion, option->name);
		if (suggestion.best == option->name)
			closest = option;
		*is_it = strcmp(word, option->name) == 0;
	}
	return closest;
}

/* Warn of one variable, NAME=VALUE, if its name is nearly that of an option. */
static void
environment_warn_of(const char *variable)
{
	size_t prefix = strlen(ENVIRONMENT_PREFIX);
	size_t len = strcspn(variable, "=") - prefix;
	char word[SETTINGS_VARIABLE_MAX], meant[SETTINGS_VARIABLE_MAX];
	const struct option *closest;
	bool is_it;

	if (len >= sizeof(word))
		return;
	for (size_t i = 0; i < len; i++)
		word[i] =
		    variable[prefix + i] == '_'
			? '-'
			: (char)tolower((unsigned char)variable[prefix + i]);
	word[len] = '\0';
	closest = environment_closest(word, &is_it);
	if (closest != NULL && !is_it)
		fprintf(stderr,
		    "pubsubd: " ENVIRONMENT_PREFIX
		    "%.*s: no such option; did you mean %s?\n",
		    (int)len, variable + prefix,
		    settings_variable(closest, meant));
}

void
settings_warn_of_variables(void)
{
	for (char **variable = environ; *variable != NULL; variable++)
		if (strncmp(*variable, ENVIRONMENT_PREFIX,
			strlen(ENVIRONMENT_PREFIX)) == 0)
			environment_warn_of(*variable);
}
