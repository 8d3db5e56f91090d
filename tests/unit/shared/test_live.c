/* SPDX-License-Identifier: MIT */
/* test_live.c - what broker/shared/live.h promises, and that the options it
 * carries are those that the table marks. */

#include "broker/cli/option_same.h"
#include "broker/cli/option_table.h"
#include "broker/cli/options.h"
#include "broker/cli/settings.h"
#include "broker/shared/live.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static struct live *live;
static char names[LIVE_NAMES_MAX];

static int
setup(void **state)
{
	(void)state;
	live = live_open(-1);
	setenv("PUBSUBD_CONFIG", "none", 1); /* this host's is not ours */
	return live != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	live_close(live);
	return 0;
}

/* A value that is not the default of a reloadable option. */
static const char *
other_value(const struct option *option)
{
	if (strcmp(option->name, "log-level") == 0)
		return "debug";
	if (strcmp(option->name, "restart-code") == 0)
		return "1001";
	if (strcmp(option->name, "allow-origin") == 0)
		return "https://a.example";
	if (strcmp(option->name, "allow-host") == 0)
		return "a.example";
	if (strcmp(option->name, "trust-proxy") == 0)
		return "10.0.0.0/8";
	if (strcmp(option->name, "watchdog") == 0)
		return "0";
	if (strcmp(option->name, "cluster-down") == 0 ||
	    strcmp(option->name, "cluster-order") == 0)
		return "local";
	if (strcmp(option->name, "cluster-outbox") == 0)
		return "50";
	return "777";
}

/* The flag is borrowed as long as the options are looked at. */
static void
parse(struct cli *cli, char *flag)
{
	char error[CLI_ERROR_MAX];
	char program[] = "pubsubd", run[] = "run";
	char *argv[] = { program, run, flag, NULL };

	assert_true(cli_parse(cli, argv, error));
}

/* With this option changed, what a worker has after the reload is the same as
 * what it would have started with. */
static void
check_carried(const struct option *option)
{
	struct cli *before = calloc(1, sizeof(*before));
	struct cli *after = calloc(1, sizeof(*after));
	char workers[] = "--workers=1", flag[128];

	snprintf(
	    flag, sizeof(flag), "--%s=%s", option->name, other_value(option));
	parse(before, workers);
	parse(after, flag);
	if (option_is_same(option, before, after))
		fail_msg("--%s: no other value", option->name);
	live_put(live, &after->config);
	assert_true(live_get(live, &before->config, names) != 0);
	if (!option_is_same(option, before, after))
		fail_msg("--%s: is not carried", option->name);
	settings_free(before);
	settings_free(after);
	free(before);
	free(after);
}

/* The supervisor alone looks at these, or hands them to the workers with what is
 * in their files (access_store.h). */
static bool
is_supervisors(const struct option *option)
{
	return strcmp(option->name, "log") == 0 ||
	       strncmp(option->name, "jwt-", 4) == 0 ||
	       strcmp(option->name, "api-keys") == 0 ||
	       strcmp(option->name, "admin-key") == 0 ||
	       strcmp(option->name, "auth-timeout") == 0 ||
	       strcmp(option->name, "anonymous") == 0 ||
	       strcmp(option->name, "grant") == 0 ||
	       strncmp(option->name, "tls-", 4) == 0 ||
	       strcmp(option->name, "watchdog") == 0 ||
	       strcmp(option->name, "keep-ring") == 0;
}

static void
test_carries_each_option_that_a_reload_changes(void **state)
{
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];

		if (option->change != OPTION_RELOAD || is_supervisors(option))
			continue;
		check_carried(option);
		count++;
	}
	assert_true(count > 10);
}

static void
test_leaves_the_rest_alone(void **state)
{
	struct config next = { .workers = 7, .rate = 5, .ring_size = 9 };
	struct config config = { .workers = 2, .rate = 3, .ring_size = 4 };

	(void)state;
	live_put(live, &next);
	assert_int_not_equal(live_get(live, &config, names), 0);
	assert_int_equal(config.rate, 5);
	assert_int_equal(config.workers, 2);
	assert_int_equal(config.ring_size, 4);
}

static void
test_version_changes_with_each_put(void **state)
{
	struct config config = { 0 };
	uint32_t first;

	(void)state;
	assert_int_equal(live_version(NULL), 0);
	assert_int_equal(live_version(live), 0);
	live_put(live, &config);
	first = live_version(live);
	assert_int_equal(live_get(live, &config, names), first);
	live_put(live, &config);
	assert_int_not_equal(live_version(live), first);
}

/* The names are copied: what they were in may be gone. */
static void
test_lists_point_into_the_readers_memory(void **state)
{
	char origin[] = "https://a", host[] = "b";
	struct config next = { .allow_origin = { origin },
		.allow_origin_count = 1,
		.allow_host = { host, "c" },
		.allow_host_count = 2 };
	struct config config = { 0 };

	(void)state;
	live_put(live, &next);
	memset(origin, 'x', sizeof(origin) - 1);
	assert_int_not_equal(live_get(live, &config, names), 0);
	assert_int_equal(config.allow_origin_count, 1);
	assert_string_equal(config.allow_origin[0], "https://a");
	assert_int_equal(config.allow_host_count, 2);
	assert_string_equal(config.allow_host[0], "b");
	assert_string_equal(config.allow_host[1], "c");
	assert_ptr_equal(config.allow_origin[0], names);
}

static void
test_room_for_names_is_bounded(void **state)
{
	static char name[LIVE_NAMES_MAX / 2];
	struct config config = { .allow_origin = { name },
		.allow_origin_count = 1,
		.allow_host = { name },
		.allow_host_count = 1 };

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	assert_true(live_has_room(&config));
	config.allow_host[1] = "";
	config.allow_host_count = 2;
	assert_false(live_has_room(&config));
}

#define live_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	live_test(test_carries_each_option_that_a_reload_changes),
	live_test(test_leaves_the_rest_alone),
	live_test(test_version_changes_with_each_put),
	live_test(test_lists_point_into_the_readers_memory),
	live_test(test_room_for_names_is_bounded),
};

SUITE_MAIN(tests);
