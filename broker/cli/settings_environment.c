/* SPDX-License-Identifier: MIT */
/* settings_environment.c - what the environment says; see settings.h. */

#include "broker/cli/option_table.h"
#include "broker/cli/settings.h"
#include "common/xmalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
settings_variable(const struct option *option, char out[SETTINGS_VARIABLE_MAX])
{
	snprintf(out, SETTINGS_VARIABLE_MAX, "PUBSUBD_%s", option->name);
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
