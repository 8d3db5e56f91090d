/* SPDX-License-Identifier: MIT */
/* option_set_listen.c - where to listen, and with which certificates; see
 * option_set.h. */

#include "broker/cli/option_set.h"

#include "broker/host/listeners.h"
#include "common/address.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether two addresses are the same, and that not because the kernel will
 * choose a port for each. */
static bool
cli_is_twice(const struct config_address *a, const struct config_address *b)
{
	return address_equal(a, b) &&
	       ((a->tls == b->tls && a->proxy == b->proxy) ||
		   !address_wants_port(a));
}

/* Append to the addresses, plain ones or for TLS.  Returns NULL, or what is wrong
 * with that. */
static const char *
cli_add_address(struct cli *cli, const struct config_address *address)
{
	struct config *config = &cli->config;

	for (size_t i = 0; i < config->listen_count; i++)
		if (cli_is_twice(address, &config->listen[i]))
			return "is given twice";
	for (size_t i = 0; i < cli->tls_listen_count; i++)
		if (cli_is_twice(address, &cli->tls_listen[i]))
			return "is given twice";
	/* Those of the default are plain, and may be yet to come. */
	if (config->listen_count + cli->tls_listen_count ==
	    CONFIG_LISTEN_MAX - (address->tls ? ADDRESS_LISTEN_MAX : 0))
		return "is one address too many";
	if (address->tls)
		cli->tls_listen[cli->tls_listen_count++] = *address;
	else
		config->listen[config->listen_count++] = *address;
	return NULL;
}

/* Take "owner=NAME", or "group=NAME", by their numbers.  Returns NULL, or what is
 * wrong. */
static const char *
cli_take_owner(const char *name, struct config_address *address)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		return "has an owner whom this system does not know";
	address->owner = user->pw_uid;
	return NULL;
}

static const char *
cli_take_group(const char *name, struct config_address *address)
{
	const struct group *group = getgrnam(name);

	if (group == NULL)
		return "has a group that this system does not know";
	address->group = group->gr_gid;
	return NULL;
}

/* Octal digits, as chmod(1) takes them. */
static const char *
cli_take_mode(const char *text, struct config_address *address)
{
	size_t len = strlen(text);

	if (len < 3 || len > 4 || strspn(text, "01234567") != len ||
	    (len == 4 && text[0] != '0'))
		return "has a mode that is not from 000 to 0777";
	address->mode = (mode_t)strtoul(text, NULL, 8);
	return NULL;
}

/* Take one of the words behind an address. */
static const char *
cli_take_flag(const char *flag, struct config_address *address)
{
	static const struct {
		const char *prefix;
		const char *(*take)(
		    const char *value, struct config_address *address);
	} of_unix[] = { { "mode=", cli_take_mode },
		{ "owner=", cli_take_owner }, { "group=", cli_take_group } };

	if (strcmp(flag, "proxy") == 0) {
		if (address->proxy)
			return "has ,proxy twice";
		address->proxy = true;
		return NULL;
	}
	for (size_t i = 0; i < sizeof(of_unix) / sizeof(of_unix[0]); i++) {
		size_t len = strlen(of_unix[i].prefix);

		if (address_is_unix(address) &&
		    strncmp(flag, of_unix[i].prefix, len) == 0)
			return of_unix[i].take(flag + len, address);
	}
	return address_is_unix(address)
	           ? "may have ,mode= ,owner= ,group= and ,proxy behind the "
	             "path, and nothing else"
	           : "may have ,proxy behind the port, and nothing else";
}

/* Take what stands behind an address, each with a comma in front. */
static const char *
cli_take_flags(const char *flags, struct config_address *address)
{
	const char *wrong = NULL;

	while (wrong == NULL && *flags == ',') {
		size_t len = strcspn(flags + 1, ",");
		char flag[ADDRESS_TEXT_MAX];

		snprintf(flag, sizeof(flag), "%.*s", (int)len, flags + 1);
		wrong = len < sizeof(flag) ? cli_take_flag(flag, address)
		                           : "is too long";
		flags += 1 + len;
	}
	return wrong;
}

/* Parse the address in front of the flags: one, or those that a name is for. */
static const char *
cli_parse_addresses(const char *value, size_t len,
    struct config_address address[ADDRESS_LISTEN_MAX], size_t *count)
{
	char text[ADDRESS_TEXT_MAX];

	*count = 1;
	snprintf(text, sizeof(text), "%.*s", (int)len, value);
	if (len >= sizeof(text))
		return "is too long for an address";
	if (strncmp(text, ADDRESS_UNIX, strlen(ADDRESS_UNIX)) == 0)
		return address_parse_unix(&address[0], text);
	/* Whether there is IPv6 is tried only where that matters. */
	if (address_parse(&address[0], text) == NULL)
		return NULL;
	return address_parse_listen(
	    address, count, text, listeners_have_ipv6());
}

static bool
cli_add_addresses(
    struct cli *cli, const char *value, bool tls, char why[VALUES_WHY_MAX])
{
	struct config_address address[ADDRESS_LISTEN_MAX];
	size_t len = strcspn(value, ","), count;
	const char *wrong = cli_parse_addresses(value, len, address, &count);

	if (wrong == NULL && tls && address_is_unix(&address[0]))
		wrong = "cannot be a unix socket, which needs no TLS";
	for (size_t i = 0; wrong == NULL && i < count; i++) {
		address[i].tls = tls;
		wrong = cli_take_flags(value + len, &address[i]);
		if (wrong == NULL)
			wrong = cli_add_address(cli, &address[i]);
	}
	if (wrong != NULL)
		snprintf(why, VALUES_WHY_MAX, "%s", wrong);
	return wrong == NULL;
}

bool
cli_set_listen(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;
	return cli_add_addresses(cli, value, false, why);
}

bool
cli_set_tls_listen(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	(void)option;
	return cli_add_addresses(cli, value, true, why);
}

bool
cli_set_tls_min(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;
	cli->config.tls_only_1_3 = strcmp(value, "1.3") == 0;
	if (cli->config.tls_only_1_3 || strcmp(value, "1.2") == 0)
		return true;
	snprintf(why, VALUES_WHY_MAX, "must be 1.2 or 1.3");
	return false;
}

bool
cli_set_admin(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	struct config_address address[ADDRESS_LISTEN_MAX];
	const char *wrong = NULL;
	size_t count;

	(void)option;

	cli->default_admin = false;
	cli->config.admin.len = 0;
	if (strcmp(value, "none") == 0)
		return true;
	wrong = address_parse_listen(address, &count, value, false);
	if (wrong != NULL)
		snprintf(why, VALUES_WHY_MAX, "%s", wrong);
	else
		cli->config.admin = address[0];
	return wrong == NULL;
}
