/* SPDX-License-Identifier: MIT */
/* option_set_access.c - who may what; see option_set.h. */

#include "broker/cli/option_set.h"

#include "common/grants.h"
#include "common/http_text.h"

#include <stdio.h>
#include <string.h>

/* One more grant; has_sub as of grants_add_text(). */
static bool
cli_add_grant(struct cli *cli, const struct option *option, const char *value,
    bool has_sub, char why[VALUES_WHY_MAX])
{
	struct grants grants = { 0 };
	const char *wrong;
	bool ok =
	    grants_add_text(&grants, value, strlen(value), has_sub, &wrong);

	grants_fini(&grants);
	if (!ok)
		snprintf(why, VALUES_WHY_MAX, "%s", wrong);
	return ok && cli_set_texts(cli, option, value, why);
}

bool
cli_set_anonymous(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	return cli_add_grant(cli, option, value, false, why);
}

bool
cli_set_grant(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	return cli_add_grant(cli, option, value, true, why);
}

bool
cli_set_cookie(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	const struct http_text name = { value, strlen(value) };

	if (http_is_token(&name))
		return cli_set_text(cli, option, value, why);
	snprintf(why, VALUES_WHY_MAX, "must be the name of a cookie");
	return false;
}
