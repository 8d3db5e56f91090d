/* SPDX-License-Identifier: MIT */
/* option_set_listen.c - where to listen, and with which certificates; see
 * option_set.h. */

#include "broker/cli/option_set.h"

#include "broker/cli/settings.h"
#include "broker/host/listeners.h"
#include "broker/host/paths.h"
#include "common/address.h"

#include <stdio.h>
#include <string.h>

/* Whether two addresses are the same, and that not because the kernel will
 * choose a port for each. */
static bool
cli_is_twice(const struct config_address *a, const struct config_address *b)
{
	return address_equal(a, b) &&
	       ((a->tls == b->tls && a->proxy == b->proxy) ||
		   address_port(a) != 0);
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

/* Take what stands behind an address: ",proxy".  Returns NULL, or what is wrong
 * with it. */
static const char *
cli_take_flags(const char *flags, struct config_address *address)
{
	if (*flags == '\0')
		return NULL;
	if (strcmp(flags, ",proxy") != 0)
		return "may have ,proxy behind the port, and nothing else";
	address->proxy = true;
	return NULL;
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

/* Append a path to the certificates or to the keys. */
static bool
cli_add_tls_file(struct cli *cli, const char **list, size_t *count,
    const char *value, char why[VALUES_WHY_MAX])
{
	if (value[0] == '\0') {
		snprintf(why, VALUES_WHY_MAX, "must be a path");
		return false;
	}
	if (*count == CONFIG_TLS_MAX) {
		snprintf(why, VALUES_WHY_MAX, "is one too many: %d are allowed",
		    CONFIG_TLS_MAX);
		return false;
	}
	cli->last_path = settings_own(cli, paths_absolute(value));
	list[(*count)++] = cli->last_path;
	return true;
}

bool
cli_set_tls_cert(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	(void)option;
	return cli_add_tls_file(
	    cli, cli->config.tls_cert, &cli->tls_cert_count, value, why);
}

bool
cli_set_tls_key(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;
	return cli_add_tls_file(
	    cli, cli->config.tls_key, &cli->tls_key_count, value, why);
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
