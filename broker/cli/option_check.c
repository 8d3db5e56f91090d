/* SPDX-License-Identifier: MIT */
/* option_check.c - see option_check.h. */

#include "broker/cli/option_check.h"

#include "broker/cli/option_values.h"
#include "broker/ring/ring.h"
#include "common/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Descriptors that a worker needs besides those of its connections: doorbells,
 * listeners, files on their way out. */
#define CLI_OTHER_DESCRIPTORS 128u

/* The operator's pages have a port of their own. */
static bool
cli_check_admin(const struct cli *cli, char error[CLI_ERROR_MAX])
{
	const struct config *config = &cli->config;
	const struct config_address *admin = &config->admin;
	char text[ADDRESS_TEXT_MAX];

	if (cli->default_admin && admin->len == 0) {
		snprintf(error, CLI_ERROR_MAX,
		    "--admin: there is no port after 65535 for it: say where, "
		    "or none");
		return false;
	}
	for (size_t i = 0; admin->len != 0 && i < config->listen_count; i++) {
		if (address_port(admin) == 0 ||
		    !address_equal(admin, &config->listen[i]))
			continue;
		snprintf(error, CLI_ERROR_MAX,
		    "--admin %s: is one of --listen already",
		    address_format(admin, text));
		return false;
	}
	return true;
}

/* Those who listen for TLS have certificates, and each has its key. */
static bool
cli_check_tls(const struct cli *cli, char error[CLI_ERROR_MAX])
{
	const char *wrong = NULL;

	if (cli->tls_cert_count > cli->tls_key_count)
		wrong = "--tls-cert: each needs its --tls-key";
	else if (cli->tls_cert_count < cli->tls_key_count)
		wrong = "--tls-key: each needs its --tls-cert";
	else if (cli->tls_listen_count > 0 && cli->tls_cert_count == 0)
		wrong = "--tls-listen: needs --tls-cert and --tls-key";
	else if (cli->tls_listen_count == 0 && cli->tls_cert_count > 0)
		wrong = "--tls-cert: goes with --tls-listen";
	if (wrong != NULL)
		snprintf(error, CLI_ERROR_MAX, "%s", wrong);
	return wrong == NULL;
}

/* Somebody can have what --grant grants. */
static bool
cli_check_access(const struct config *config, char error[CLI_ERROR_MAX])
{
	if (config->grant_count == 0 || config->jwt_key_count > 0 ||
	    config->api_keys != NULL)
		return true;
	snprintf(
	    error, CLI_ERROR_MAX, "--grant: goes with --jwt-key or --api-keys");
	return false;
}

/* A worker that sends the lock file to a client closes it, and drops its locks. */
static bool
cli_check_lockfile(const struct config *config, char error[CLI_ERROR_MAX])
{
	size_t len = strlen(config->root);

	if (strncmp(config->lockfile, config->root, len) != 0 ||
	    config->lockfile[len] != '/')
		return true;
	snprintf(error, CLI_ERROR_MAX,
	    "--root %s: must not hold the lock file, %s", config->root,
	    config->lockfile);
	return false;
}

/* The ring has room for messages, and the process for connections. */
static bool
cli_check_sizes(const struct config *config, char error[CLI_ERROR_MAX])
{
	uint64_t least =
	    RING_RECORDS_MIN * ring_record_max(config->max_message);
	char size[24], limit[24], message[24];
	struct rlimit descriptors;

	if (config->ring_size < least) {
		snprintf(error, CLI_ERROR_MAX,
		    "--ring-size %s: must be at least %s, %u times the largest "
		    "record, for --max-message %s",
		    value_size_format(config->ring_size, size),
		    value_size_format((least + 1023) / 1024 * 1024, limit),
		    (unsigned)RING_RECORDS_MIN,
		    value_size_format(config->max_message, message));
		return false;
	}
	if (config->max_conns != 0 &&
	    getrlimit(RLIMIT_NOFILE, &descriptors) == 0 &&
	    descriptors.rlim_max < config->max_conns + CLI_OTHER_DESCRIPTORS) {
		snprintf(error, CLI_ERROR_MAX,
		    "--max-conns %u: the limit on descriptors is %llu "
		    "(ulimit -Hn), %u of them for other things",
		    config->max_conns, (unsigned long long)descriptors.rlim_max,
		    CLI_OTHER_DESCRIPTORS);
		return false;
	}
	return true;
}

/* What no section may say of topics in a cluster: its log has none of it. */
static bool
cli_check_cluster_topics(
    const struct policies *policies, char error[CLI_ERROR_MAX])
{
	for (uint32_t i = 0; i < policies->count; i++) {
		const struct policy_section *section = &policies->sections[i];

		if (!section->says.retain && section->says.ttl_s == 0)
			continue;
		snprintf(error, CLI_ERROR_MAX,
		    "[topic \"%.*s\"]: a cluster has no retain and no ttl yet",
		    section->pattern_len, section->pattern);
		return false;
	}
	return true;
}

/* The bridge has a slot beside the workers, and marks have room. */
static bool
cli_check_cluster(const struct config *config, char error[CLI_ERROR_MAX])
{
	uint64_t least =
	    RING_RECORDS_MIN *
	    (ring_record_max(config->max_message) + sizeof(struct layout_mark));

	if (config->cluster_count == 0)
		return true;
	if (config->workers >= CONFIG_WORKERS_MAX) {
		snprintf(error, CLI_ERROR_MAX,
		    "--workers %u: with --cluster, %u at most", config->workers,
		    CONFIG_WORKERS_MAX - 1u);
		return false;
	}
	if (config->ring_size >= least)
		return cli_check_cluster_topics(&config->policies, error);
	snprintf(error, CLI_ERROR_MAX,
	    "--ring-size: with --cluster, at least %llu bytes for this "
	    "--max-message",
	    (unsigned long long)least);
	return false;
}

/* Check the options of pub, sub and topics. */
static bool
cli_check_client(const struct cli *cli, char error[CLI_ERROR_MAX])
{
	const struct cli_client_options *client = &cli->client;
	bool has_message =
	    cli->words_len == 2 && strcmp(cli->words[1], "-") != 0;
	const char *wrong = NULL;

	if (client->url_count > 0 && client->is_named)
		wrong = "--url: there is --name or --pidfile, too";
	else if ((client->token_path != NULL) +
		     (client->token_variable != NULL) +
		     (client->key_path != NULL) >
		 1)
		wrong = "--token-file, --token-env, --key-file: only one of "
			"them";
	else if (client->has_since && client->history > 0)
		wrong = "--since: there is --history, too";
	else if (client->has_since && cli->words_len > 1)
		wrong = "--since: goes with one topic, for each has numbers of "
			"its own";
	else if (client->is_whole && has_message)
		wrong = "--whole: there is a message, too";
	if (wrong != NULL)
		snprintf(error, CLI_ERROR_MAX, "%s", wrong);
	return wrong == NULL;
}

/* Nobody means to close all of them by leaving something out. */
static bool
cli_check_kick(const struct cli *cli, char error[CLI_ERROR_MAX])
{
	if (cli->command != CLI_KICK || cli->asking.conn_number != 0 ||
	    cli->asking.topic != NULL || cli->asking.user != NULL)
		return true;
	snprintf(error, CLI_ERROR_MAX, "kick: needs --conn, --topic or --user");
	return false;
}

/* A token is signed with something. */
static bool
cli_check_token(const struct cli *cli, char error[CLI_ERROR_MAX])
{
	if (cli->command != CLI_TOKEN || cli->token.key_path != NULL)
		return true;
	snprintf(error, CLI_ERROR_MAX, "token: needs --key FILE");
	return false;
}

bool
cli_check(const struct cli *cli, char error[CLI_ERROR_MAX])
{
	if (!cli_check_kick(cli, error))
		return false;
	return cli_check_token(cli, error) && cli_check_client(cli, error) &&
	       cli_check_admin(cli, error) && cli_check_tls(cli, error) &&
	       cli_check_access(&cli->config, error) &&
	       cli_check_lockfile(&cli->config, error) &&
	       cli_check_sizes(&cli->config, error) &&
	       cli_check_cluster(&cli->config, error);
}
