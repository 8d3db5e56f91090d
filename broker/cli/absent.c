/* SPDX-License-Identifier: MIT */
/* absent.c - see absent.h. */

#include "broker/cli/absent.h"

#include "broker/status/instances.h"

#include <stdio.h>
#include <unistd.h>

#define ABSENT_HINT_MAX 200 /* bytes */

/* Where one of that name is, if any is. */
static void
absent_hint(const char *name, char hint[ABSENT_HINT_MAX])
{
	char user[INSTANCE_USER_MAX];
	struct instance one;

	hint[0] = '\0';
	if (!instance_find(&one, name))
		return;
	if (one.is_alive && one.owner != geteuid())
		snprintf(hint, ABSENT_HINT_MAX,
		    "; user %s has one of that name: ask as %s",
		    instance_user(one.owner, user), user);
	else if (one.is_alive)
		snprintf(hint, ABSENT_HINT_MAX,
		    "; one of that name was started with another HOME or "
		    "XDG_STATE_HOME");
	else if (one.seg.header != NULL &&
		 atomic_load(&one.seg.header->run.kept) == 1)
		snprintf(hint, ABSENT_HINT_MAX,
		    "; its ring is kept for the next start");
	instance_release(&one);
}

enum exit_status
cli_not_running(const struct cli *cli, const char *left)
{
	char hint[ABSENT_HINT_MAX];

	absent_hint(cli->config.name, hint);
	return report_failure(EXIT_STATUS_NOT_RUNNING, "%s is not running%s%s",
	    cli->config.name, left, left[0] == '\0' ? hint : "");
}
