/* SPDX-License-Identifier: MIT */
/* settings.c - see settings.h. */

#include "broker/cli/settings.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *
settings_own(struct cli *cli, void *memory)
{
	cli->owned =
	    xreallocarray(cli->owned, cli->owned_len + 1, sizeof(*cli->owned));
	cli->owned[cli->owned_len++] = memory;
	return memory;
}

/* Whether this option has a value of this origin by now. */
static bool
settings_has(const struct cli *cli, const struct cli_setting *setting)
{
	for (size_t i = 0; i < cli->settings_len; i++)
		if (cli->settings[i].option == setting->option &&
		    cli->settings[i].origin == setting->origin)
			return true;
	return false;
}

bool
settings_apply(struct cli *cli, const struct cli_setting *setting,
    char why[VALUES_WHY_MAX])
{
	const struct option *option = setting->option;

	if (option->repeats && !settings_has(cli, setting))
		*(size_t *)(void *)((char *)cli + option->count_at) = 0;
	if (!option->set(cli, option, setting->value, why))
		return false;
	cli->settings = xreallocarray(
	    cli->settings, cli->settings_len + 1, sizeof(*cli->settings));
	cli->settings[cli->settings_len++] = *setting;
	return true;
}

void
settings_fault(struct cli *cli, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	CHECK(vasprintf(&text, fmt, ap) != -1);
	va_end(ap);
	cli->faults = xreallocarray(
	    cli->faults, cli->faults_len + 1, sizeof(*cli->faults));
	cli->faults[cli->faults_len++] = text;
}

void
settings_free(struct cli *cli)
{
	for (size_t i = 0; i < cli->owned_len; i++)
		free(cli->owned[i]);
	for (size_t i = 0; i < cli->faults_len; i++)
		free(cli->faults[i]);
	free(cli->owned);
	free(cli->faults);
	free(cli->settings);
	free(cli->argv);
	free(cli->words);
}
