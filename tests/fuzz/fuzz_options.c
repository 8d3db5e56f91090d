/* SPDX-License-Identifier: MIT */
/*
 * fuzz_options.c - a command line; a line of the input is an argument.
 *
 * What is accepted is within its bounds and can be said again: a restart
 * executes the call that cli_parse() has written down, and must come to the
 * same configuration.  A line alone is also read as each kind of value.
 */

#include "broker/cli/options.h"
#include "broker/cli/settings.h"
#include "broker/cli/option_values.h"
#include "common/address.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

#define WORDS_MAX 64u

static void
check_values(const char *text)
{
	char why[VALUES_WHY_MAX], epoch[CLI_EPOCH_MAX], pos[CLI_POS_MAX],
	    size[24];
	uint64_t n, again;

	if (value_count(text, 3, 64, &n, why))
		CHECK(n >= 3 && n <= 64);
	if (value_seconds(text, 100, 5000, &n, why))
		CHECK(n >= 100 && n <= 5000);
	if (value_size(text, 4096, UINT64_MAX, &n, why)) {
		CHECK(n >= 4096);
		value_size_format(n, size);
		CHECK(value_size(size, n, n, &again, why) && again == n);
	}
	if (value_base_path(text, why))
		CHECK(text[0] == '/' && text[strlen(text) - 1] != '/' &&
		      strlen(text) <= VALUES_BASE_PATH_MAX &&
		      strstr(text, "//") == NULL && strchr(text, '%') == NULL);
	if (value_name(text, CONFIG_NAME_MAX, why))
		CHECK(strlen(text) <= CONFIG_NAME_MAX && *text != '.');
	if (value_place(text, epoch, sizeof(epoch), &n, pos, sizeof(pos), why))
		CHECK(n < UINT64_C(1) << 53 && strlen(epoch) > 0 &&
		      strlen(pos) < sizeof(pos));
}

static void
check_bounds(const struct config *config)
{
	CHECK(config->workers >= 1 && config->workers <= CONFIG_WORKERS_MAX);
	CHECK(config->listen_count >= 1 &&
	      config->listen_count <= CONFIG_LISTEN_MAX);
	CHECK(config->name[0] != '\0' && config->name[0] != '.');
	CHECK(strchr(config->name, '/') == NULL);
	CHECK(config->root[0] == '/' && config->pidfile[0] == '/');
	CHECK(config->log_path == NULL || config->log_path[0] == '/');
	CHECK(config->max_message > 0 && config->max_topics > 0);
	CHECK(config->ring_size / 16 > config->max_message);
	CHECK(config->allow_origin_count <= CONFIG_ALLOW_MAX);
	CHECK(config->allow_host_count <= CONFIG_ALLOW_MAX);
	CHECK(config->trust_proxy_count <= CONFIG_PROXY_MAX);
}

static bool
same_list(const char *const *a, const char *const *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static void
check_same(const struct config *a, const struct config *b)
{
	char text[2][ADDRESS_TEXT_MAX];

	CHECK(strcmp(a->name, b->name) == 0);
	CHECK(strcmp(a->root, b->root) == 0);
	CHECK(strcmp(a->pidfile, b->pidfile) == 0);
	CHECK(a->listen_count == b->listen_count);
	for (size_t i = 0; i < a->listen_count; i++)
		CHECK(strcmp(address_format(&a->listen[i], text[0]),
			  address_format(&b->listen[i], text[1])) == 0 &&
		      a->listen[i].tls == b->listen[i].tls &&
		      a->listen[i].proxy == b->listen[i].proxy &&
		      a->listen[i].mode == b->listen[i].mode);
	CHECK(a->workers == b->workers && a->respawn == b->respawn);
	CHECK(a->ring_size == b->ring_size && a->max_topics == b->max_topics);
	CHECK(a->max_message == b->max_message && a->rate == b->rate);
	CHECK(a->drain_ms == b->drain_ms && a->watchdog == b->watchdog);
	CHECK(a->allow_origin_count == b->allow_origin_count);
	CHECK(
	    same_list(a->allow_origin, b->allow_origin, a->allow_origin_count));
	CHECK(a->allow_host_count == b->allow_host_count);
	CHECK(same_list(a->allow_host, b->allow_host, a->allow_host_count));
	CHECK(a->trust_proxy_count == b->trust_proxy_count);
	CHECK(memcmp(a->trust_proxy, b->trust_proxy,
		  a->trust_proxy_count * sizeof(a->trust_proxy[0])) == 0);
}

static void
check_line(char **argv)
{
	char error[CLI_ERROR_MAX] = "";
	struct cli cli, again;
	bool is_server;

	if (!cli_parse(&cli, argv, error)) {
		CHECK(error[0] != '\0');
		CHECK(memchr(error, '\0', sizeof(error)) != NULL);
		settings_free(&cli);
		return;
	}
	is_server = cli.command == CLI_RUN || cli.command == CLI_START;
	if (is_server) {
		check_bounds(&cli.config);
		CHECK(cli_parse(&again, cli.argv, error));
		check_same(&cli.config, &again.config);
		settings_free(&again);
	}
	settings_free(&cli);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text, *word;
	char program[] = "pubsubd";
	char *argv[WORDS_MAX] = { program };
	size_t count = 1;

	while (count + 1 < WORDS_MAX && (word = strsep(&rest, "\n")) != NULL) {
		check_values(word);
		argv[count++] = word;
	}
	check_line(argv);
	free(text);
	return 0;
}
