/* SPDX-License-Identifier: MIT */
/* option_set.c - see option_set.h. */

#include "broker/cli/option_set.h"

#include "broker/cli/settings.h"
#include "common/url.h"
#include "broker/host/listeners.h"
#include "broker/host/paths.h"
#include "common/address.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
cli_set_count(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t n;

	if (!value_count(value, option->min, option->max, &n, why))
		return false;
	*(uint32_t *)cli_member(cli, option) = (uint32_t)n;
	return true;
}

bool
cli_set_size32(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t n;

	if (!value_size(value, option->min, option->max, &n, why))
		return false;
	*(uint32_t *)cli_member(cli, option) = (uint32_t)n;
	return true;
}

bool
cli_set_size64(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t *member = cli_member(cli, option);

	return value_size(value, option->min, option->max, member, why);
}

bool
cli_set_seconds(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t ms;

	if (!value_seconds(value, option->min, option->max, &ms, why))
		return false;
	*(uint32_t *)cli_member(cli, option) = (uint32_t)ms;
	return true;
}

bool
cli_set_restart_code(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	bool is_1001 = strcmp(value, "1001") == 0;

	if (!is_1001 && strcmp(value, "1012") != 0) {
		snprintf(why, VALUES_WHY_MAX, "must be 1001 or 1012");
		return false;
	}
	*(uint32_t *)cli_member(cli, option) = is_1001 ? 1001 : 1012;
	return true;
}

bool
cli_set_compress(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	if (strcmp(value, "off") != 0)
		return cli_set_size32(cli, option, value, why);
	*(uint32_t *)cli_member(cli, option) = CONFIG_COMPRESS_OFF;
	return true;
}

bool
cli_set_bool(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	uint64_t n;

	if (!value_count(value, 0, 1, &n, why))
		return false;
	*(bool *)cli_member(cli, option) = n == 1;
	return true;
}

/* An option that has no value on the command line has 0 or 1 elsewhere. */
bool
cli_set_true(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	if (value[0] != '\0')
		return cli_set_bool(cli, option, value, why);
	*(bool *)cli_member(cli, option) = true;
	return true;
}

bool
cli_set_false(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	bool *member = cli_member(cli, option);

	if (!cli_set_true(cli, option, value, why))
		return false;
	*member = !*member;
	return true;
}

bool
cli_set_text(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)why;
	*(const char **)cli_member(cli, option) = value;
	return true;
}

bool
cli_set_base_path(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	return value_base_path(value, why) &&
	       cli_set_text(cli, option, value, why);
}

bool
cli_set_path(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	if (value[0] == '\0') {
		snprintf(why, VALUES_WHY_MAX, "must be a path");
		return false;
	}
	*(char **)cli_member(cli, option) =
	    settings_own(cli, paths_absolute(value));
	return true;
}

/* One more of a list, of at most option->max texts. */
bool
cli_set_texts(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	const char **list = cli_member(cli, option);
	size_t *count = (size_t *)(void *)((char *)cli + option->count_at);

	if (*count == option->max) {
		snprintf(why, VALUES_WHY_MAX, "is one too many: %u are allowed",
		    (unsigned)option->max);
		return false;
	}
	list[(*count)++] = value;
	return true;
}

bool
cli_set_paths(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	if (value[0] == '\0') {
		snprintf(why, VALUES_WHY_MAX, "must be a path");
		return false;
	}
	cli->last_path = settings_own(cli, paths_absolute(value));
	return cli_set_texts(cli, option, cli->last_path, why);
}

bool
cli_set_config(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	return strcmp(value, CLI_CONF_NONE) == 0
	           ? cli_set_text(cli, option, value, why)
	           : cli_set_path(cli, option, value, why);
}

bool
cli_set_name(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;

	if (!value_name(value, CONFIG_NAME_MAX, why))
		return false;
	snprintf(cli->config.name, sizeof(cli->config.name), "%s", value);
	cli->client.is_named = true;
	return true;
}

bool
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

bool
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

bool
cli_set_origin(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	return value_origin(value, why) &&
	       cli_set_texts(cli, option, value, why);
}

bool
cli_set_host(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	return value_host(value, why) && cli_set_texts(cli, option, value, why);
}

bool
cli_set_trust_proxy(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	struct config *config = &cli->config;
	struct ip_network *network =
	    &config->trust_proxy[config->trust_proxy_count];
	const char *wrong = NULL;

	(void)option;
	if (config->trust_proxy_count == CONFIG_PROXY_MAX)
		wrong = "is one too many";
	else if (strcmp(value, "unix") == 0)
		*network = (struct ip_network){ IP_OF_UNIX_SOCKETS, 128 };
	else
		wrong = ip_network_parse(network, value);
	if (wrong != NULL)
		snprintf(why, VALUES_WHY_MAX, "%s", wrong);
	else
		config->trust_proxy_count++;
	return wrong == NULL;
}

bool
cli_set_pidfile(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	cli->client.is_named = true;
	return cli_set_path(cli, option, value, why);
}

bool
cli_set_url(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	struct url url;
	const char *wrong = url_parse(&url, value);

	if (wrong == NULL)
		return cli_set_texts(cli, option, value, why);
	snprintf(why, VALUES_WHY_MAX, "%s", wrong);
	return false;
}

bool
cli_set_since(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;
	cli->client.has_since = true;
	return value_place(value, cli->client.since_epoch, CLI_EPOCH_MAX,
	    &cli->client.since_seq, cli->client.since_pos, CLI_POS_MAX, why);
}
