/* SPDX-License-Identifier: MIT */
/* option_set_cluster.c - the options of a cluster; see option_set.h. */

#include "broker/cli/option_set.h"

#include <stdio.h>
#include <string.h>

/* Why a text is no server's address, or NULL. */
static const char *
cluster_wrong(const char *value)
{
	const char *host = strstr(value, "://");

	if (strncmp(value, "nats://", 7) != 0 &&
	    strncmp(value, "tls://", 6) != 0)
		return "must be nats://HOST:PORT or tls://HOST:PORT";
	if (strchr(value, '@') != NULL)
		return "must not have a password in it, which every user of "
		       "this host could read: --cluster-creds names a file";
	if (host[3] == '\0' || host[3] == ':' || strlen(value) > 200)
		return "must be nats://HOST:PORT or tls://HOST:PORT";
	return NULL;
}

bool
cli_set_cluster(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	const char *wrong = cluster_wrong(value);

	if (wrong == NULL)
		return cli_set_texts(cli, option, value, why);
	snprintf(why, VALUES_WHY_MAX, "%s", wrong);
	return false;
}

bool
cli_set_cluster_name(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	if (!value_name(value, CONFIG_NAME_MAX, why))
		return false;
	if (strchr(value, '.') != NULL) {
		snprintf(why, VALUES_WHY_MAX, "must not have a dot in it");
		return false;
	}
	return cli_set_text(cli, option, value, why);
}

/* Set whether the value is `local', or say that it is not the other word either. */
static bool
cluster_set_word(struct cli *cli, const struct option *option,
    const char *value, const char *other, char why[VALUES_WHY_MAX])
{
	bool is_local = strcmp(value, "local") == 0;

	if (!is_local && strcmp(value, other) != 0) {
		snprintf(why, VALUES_WHY_MAX, "must be %s or local", other);
		return false;
	}
	*(bool *)cli_member(cli, option) = is_local;
	return true;
}

bool
cli_set_cluster_down(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	return cluster_set_word(cli, option, value, "refuse", why);
}

bool
cli_set_cluster_order(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	return cluster_set_word(cli, option, value, "total", why);
}
