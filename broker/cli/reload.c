/* SPDX-License-Identifier: MIT */
/* reload.c - see reload.h. */

#include "broker/cli/reload.h"

#include "broker/cli/option_same.h"
#include "broker/cli/option_table.h"
#include "broker/cli/options.h"
#include "broker/cli/settings.h"
#include "common/xmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SUPERVISOR_WHY_MAX >= CLI_ERROR_MAX, "a reason fits");

/* Append the names of the options that have changed and that need this. */
static bool
reload_put_changed(const struct cli *now, const struct cli *next,
    enum option_change change, const char *hyphens,
    char text[SUPERVISOR_WHY_MAX])
{
	bool any = false;

	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];
		size_t len = strlen(text);

		if ((option->commands & 1u << CLI_RUN) == 0 ||
		    option->change != change ||
		    option_is_same(option, now, next))
			continue;
		snprintf(text + len, SUPERVISOR_WHY_MAX - len, "%s%s%s",
		    any ? ", " : "", hyphens, option->name);
		any = true;
	}
	return any;
}

/* Append a few words. */
static void
reload_put(char text[SUPERVISOR_WHY_MAX], const char *words)
{
	size_t len = strlen(text);

	snprintf(text + len, SUPERVISOR_WHY_MAX - len, "%s", words);
}

/* Say what has changed that a reload cannot apply.  Returns whether there is
 * such. */
static bool
reload_is_too_much(
    const struct cli *now, const struct cli *next, char why[SUPERVISOR_WHY_MAX])
{
	static const struct {
		enum option_change change;
		const char *takes;
	} kinds[] = {
		{ OPTION_UPGRADE, " changed, which takes an upgrade" },
		{ OPTION_RESTART, " changed, which takes a restart" },
		{ OPTION_START, " changed, which takes a stop and a start" },
	};
	char names[SUPERVISOR_WHY_MAX];
	bool any = false;

	why[0] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		names[0] = '\0';
		if (!reload_put_changed(
			now, next, kinds[i].change, "--", names))
			continue;
		reload_put(why, any ? "; " : "");
		reload_put(why, names);
		reload_put(why, kinds[i].takes);
		any = true;
	}
	if (any)
		reload_put(why, "; nothing is applied");
	return any;
}

static void
reload_drop(struct cli **cli)
{
	if (*cli == NULL)
		return;
	settings_free(*cli);
	free(*cli);
	*cli = NULL;
}

static const struct config *
reload_read(void *reader, char what[SUPERVISOR_WHY_MAX])
{
	struct cli_reloading *r = reader;
	const struct cli *now = r->now != NULL ? r->now : r->first;
	bool any;

	r->next = xcalloc(1, sizeof(*r->next));
	if (!cli_parse(r->next, r->first->argv, what) ||
	    reload_is_too_much(now, r->next, what)) {
		reload_drop(&r->next);
		return NULL;
	}
	what[0] = '\0';
	any = reload_put_changed(now, r->next, OPTION_RELOAD, "", what);
	if (!policies_equal(&now->config.policies, &r->next->config.policies))
		reload_put(what, any ? ", topic sections" : "topic sections");
	return &r->next->config;
}

static void
reload_settle(void *reader, bool in_force)
{
	struct cli_reloading *r = reader;

	if (in_force) {
		reload_drop(&r->now);
		r->now = r->next;
		r->next = NULL;
	} else {
		reload_drop(&r->next);
	}
}

void
cli_reloading_init(struct cli_reloading *r, const struct cli *first)
{
	memset(r, 0, sizeof(*r));
	r->first = first;
	r->supervisor.reader = r;
	r->supervisor.read = reload_read;
	r->supervisor.settle = reload_settle;
}

void
cli_reloading_fini(struct cli_reloading *r)
{
	reload_drop(&r->now);
	reload_drop(&r->next);
}
