/* SPDX-License-Identifier: MIT */
/* test_options.c - what broker/cli/options.h promises. */

#include "broker/cli/help.h"
#include "broker/cli/options.h"
#include "broker/ring/ring.h"
#include "common/address.h"
#include "tests/support/suite.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 40

#define PARSES_MAX 128

/* What was parsed, and what was parsed last.  All are kept: what a struct cli
 * owns lives as long as the process. */
static struct cli parsed[PARSES_MAX];
static size_t parsed_count;
static struct cli *cli;
static char error[CLI_ERROR_MAX];

/* Parse "pubsubd" and these words, up to NULL. */
static bool
parse_words(const char *const *words)
{
	char *argv[ARGS_MAX] = { (char *)(uintptr_t) "pubsubd" };

	for (size_t n = 0; words[n] != NULL; n++)
		argv[n + 1] = (char *)(uintptr_t)words[n];
	error[0] = '\0';
	setenv("PUBSUBD_CONFIG", "none", 0); /* this host's is not ours */
	assert_true(parsed_count < PARSES_MAX);
	cli = &parsed[parsed_count++];
	return cli_parse(cli, argv, error);
}

#define parse(...) parse_words((const char *const[]){ __VA_ARGS__ })

/* Parse "pubsubd run" with one wrong option: this must be the reason. */
static void
check_refused(const char *option, const char *value, const char *reason)
{
	assert_false(parse("run", option, value, NULL));
	assert_string_equal(error, reason);
}

/* Where the operator's pages are with these addresses. */
static void
check_admin(const char *first, const char *second, const char *expected)
{
	char text[ADDRESS_TEXT_MAX];

	assert_true(parse("run", "--listen", first, "--listen", second, NULL));
	assert_string_equal(address_format(&cli->config.admin, text), expected);
}

static void
test_operator_has_the_port_after_the_public_ones(void **state)
{
	(void)state;
	check_admin("127.0.0.1:80", "[::1]:80", "127.0.0.1:81");
	check_admin("0.0.0.0:80", "[::]:443", "127.0.0.1:444");
	check_admin("0.0.0.0:443", "[::]:80", "127.0.0.1:444");
	check_admin("0.0.0.0:80", "[::1]:0", "127.0.0.1:0");
	check_admin("127.0.0.1:65534", "[::1]:1", "127.0.0.1:65535");
	assert_false(parse("run", "--listen", "[::1]:65535", NULL));
	assert_string_equal(error,
	    "--admin: there is no port after 65535 for it: say where, or none");
	assert_true(
	    parse("run", "--listen", "[::1]:65535", "--admin", "none", NULL));
	assert_int_equal(cli->config.admin.len, 0);
}

static void
test_lock_file_is_not_served(void **state)
{
	char directory[PATH_MAX], expected[PATH_MAX * 3];
	const char *lock;

	(void)state;
	assert_true(parse("run", NULL));
	lock = cli->config.lockfile;
	snprintf(directory, sizeof(directory), "%.*s",
	    (int)(strrchr(lock, '/') - lock), lock);
	snprintf(expected, sizeof(expected),
	    "--root %s: must not hold the lock file, %s", directory, lock);
	assert_false(parse("run", "--root", directory, NULL));
	assert_string_equal(error, expected);
	assert_true(parse("run", "--root", "/srv", NULL));
}

static void
test_operator_does_not_share_a_public_address(void **state)
{
	(void)state;
	assert_false(parse("run", "--admin", "127.0.0.1:80", "--listen",
	    "[::1]:80", "--listen", "127.0.0.1:80", NULL));
	assert_string_equal(
	    error, "--admin 127.0.0.1:80: is one of --listen already");
	assert_true(parse(
	    "run", "--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0", NULL));
}

static void
test_each_command_is_known(void **state)
{
	static const char *const names[] = {
		[CLI_RUN] = "run",
		[CLI_START] = "start",
		[CLI_STOP] = "stop",
		[CLI_RESTART] = "restart",
		[CLI_UPGRADE] = "upgrade",
		[CLI_RELOAD] = "reload",
		[CLI_STATUS] = "status",
		[CLI_TOP] = "top",
		[CLI_TAP] = "tap",
		[CLI_INSPECT] = "inspect",
		[CLI_CONNS] = "conns",
		[CLI_KICK] = "kick",
		[CLI_CLUSTER] = "cluster",
		[CLI_CHECK] = "check",
		[CLI_PUB] = "pub",
		[CLI_SUB] = "sub",
		[CLI_TOPICS] = "topics",
		[CLI_TOKEN] = "token",
		[CLI_VERSION] = "version",
		[CLI_HELP] = "help",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *word = i == CLI_PUB || i == CLI_SUB || i == CLI_TAP
		                       ? "a"
		                   : i == CLI_TOKEN   ? "--key=k"
		                   : i == CLI_KICK    ? "--topic=a"
		                   : i == CLI_CLUSTER ? "status"
		                                      : NULL;

		assert_true(parse(names[i], word, NULL));
		assert_int_equal(cli->command, i);
	}
	assert_true(parse("--help", NULL));
	assert_int_equal(cli->command, CLI_HELP);
	assert_true(parse("--version", NULL));
	assert_int_equal(cli->command, CLI_VERSION);
}

static void
test_each_command_has_help_of_its_own(void **state)
{
	(void)state;
	assert_true(parse("sub", "-C", "3", "--help", NULL));
	assert_int_equal(cli->command, CLI_HELP);
	assert_string_equal(cli->words[0], "sub");
	assert_true(parse("start", "-h", NULL));
	assert_int_equal(cli->command, CLI_HELP);
	assert_string_equal(cli->words[0], "start");
	assert_true(parse("help", "stop", NULL));
	assert_string_equal(cli->words[0], "stop");
	assert_true(parse("pub", "a", "--", "--help", NULL));
	assert_int_equal(cli->command, CLI_PUB);
	assert_false(cli_print_help("serve"));
}

/* As getopt(3) has it: -C3 is -C 3. */
static void
test_value_may_follow_its_letter(void **state)
{
	(void)state;
	assert_true(parse("sub", "a", "-C3", "-v", NULL));
	assert_int_equal(cli->client.count, 3);
	assert_true(cli->client.is_verbose);
	assert_false(parse("sub", "a", "-vv", NULL));
	assert_false(parse("sub", "a", "-Cx", NULL));
}

static void
test_missing_or_unknown_command_is_refused(void **state)
{
	(void)state;
	assert_false(parse(NULL, NULL));
	assert_string_equal(error, "a command is missing; try 'pubsubd help'");
	assert_false(parse("serve", NULL));
	assert_string_equal(
	    error, "serve: no such command; try 'pubsubd help'");
	assert_false(parse("--run", NULL));
}

static void
test_defaults_are_those_of_the_design(void **state)
{
	const struct config *config;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_true(parse("run", NULL));
	config = &cli->config;
	assert_string_equal(config->name, "main");
	assert_int_equal(config->ring_size, 32 << 20);
	assert_int_equal(config->max_topics, 32768);
	assert_int_equal(config->drain_ms, 5000);
	assert_int_equal(config->max_message, 65536);
	assert_int_equal(config->max_conns, 0);
	assert_int_equal(config->max_conns_per_address, 1024);
	assert_int_equal(config->max_topics_per_conn, 128);
	assert_int_equal(config->rate, 10000);
	assert_int_equal(config->control_rate, 100);
	assert_int_equal(config->conn_rate, 200);
	assert_int_equal(config->max_head, 8192);
	assert_int_equal(config->request_ms, 10000);
	assert_int_equal(config->idle_ms, 120000);
	assert_int_equal(config->stall_ms, 60000);
	assert_int_equal(config->min_rate, 512);
	assert_int_equal(config->max_pipelined, 16);
	assert_int_equal(config->ping_interval_ms, 25000);
	assert_int_equal(config->restart_code, 0);
	assert_int_equal(config->log_level, LOG_INFO);
	assert_true(config->max_buffer >= 256);
	assert_true(config->max_worker_memory > 0);
	assert_true(config->watchdog);
	assert_true(config->respawn);
	assert_true(config->sandbox);
	assert_null(config->user);
	assert_null(config->log_path);
	assert_string_equal(
	    address_format(&config->admin, text), "127.0.0.1:8001");
	assert_false(cli->json);
}

static void
test_listens_on_loopback_unless_told(void **state)
{
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_true(parse("run", NULL));
	assert_in_range(cli->config.listen_count, 1, 2);
	assert_string_equal(
	    address_format(&cli->config.listen[0], text), "127.0.0.1:8000");
	if (cli->config.listen_count == 2)
		assert_string_equal(
		    address_format(&cli->config.listen[1], text), "[::1]:8000");
	assert_true(parse(
	    "run", "--listen", "0.0.0.0:80", "--listen", "[::]:80", NULL));
	assert_int_equal(cli->config.listen_count, 2);
	assert_string_equal(
	    address_format(&cli->config.listen[0], text), "0.0.0.0:80");
	assert_string_equal(
	    address_format(&cli->config.listen[1], text), "[::]:80");
}

static void
test_workers_are_the_cores_this_process_may_use(void **state)
{
	cpu_set_t before, one;
	int core = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(core, &before))
		core++;
	CPU_ZERO(&one);
	CPU_SET(core, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_true(parse("run", NULL));
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(cli->config.workers, 1);
}

static void
test_value_stands_behind_a_space_or_an_equals_sign(void **state)
{
	(void)state;
	assert_true(parse("run", "--workers", "3", "--drain=0.5", NULL));
	assert_int_equal(cli->config.workers, 3);
	assert_int_equal(cli->config.drain_ms, 500);
}

static void
test_last_of_a_repeated_option_counts(void **state)
{
	(void)state;
	assert_true(parse("run", "--root", "/a", "--root", "/b", "--workers",
	    "1", "--workers", "2", NULL));
	assert_string_equal(cli->config.root, "/b");
	assert_int_equal(cli->config.workers, 2);
}

static void
test_every_option_arrives(void **state)
{
	const struct config *config;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_true(
	    parse("run", "--name", "n1", "--ring-size", "64M", "--max-topics",
		"7", "--allow-origin", "https://a.b", "--allow-host", "c.d",
		"--admin", "127.0.0.1:9", "--log", "/l", "--log-level", "debug",
		"--pidfile", "/p", "--max-message", "1K", "--max-conns", "9",
		"--max-conns-per-address", "8", "--max-topics-per-conn", "6",
		"--rate", "0", "--max-buffer", "5", NULL));
	config = &cli->config;
	assert_string_equal(config->name, "n1");
	assert_int_equal(config->ring_size, 64 << 20);
	assert_int_equal(config->max_topics, 7);
	assert_int_equal(config->allow_origin_count, 1);
	assert_string_equal(config->allow_origin[0], "https://a.b");
	assert_int_equal(config->allow_host_count, 1);
	assert_string_equal(config->allow_host[0], "c.d");
	assert_string_equal(
	    address_format(&config->admin, text), "127.0.0.1:9");
	assert_string_equal(config->log_path, "/l");
	assert_int_equal(config->log_level, LOG_DEBUG);
	assert_string_equal(config->pidfile, "/p");
	assert_int_equal(config->max_message, 1024);
	assert_int_equal(config->max_conns, 9);
	assert_int_equal(config->max_conns_per_address, 8);
	assert_int_equal(config->max_topics_per_conn, 6);
	assert_int_equal(config->rate, 0);
	assert_int_equal(config->max_buffer, 5);
	assert_true(parse("run", "--max-worker-memory", "2M", "--ping-interval",
	    "1.5", "--watchdog", "0", "--admin", "none", "--no-respawn",
	    "--no-sandbox", NULL));
	config = &cli->config;
	assert_int_equal(config->max_worker_memory, 2 << 20);
	assert_int_equal(config->ping_interval_ms, 1500);
	assert_false(config->watchdog);
	assert_int_equal(config->admin.len, 0);
	assert_false(config->respawn);
	assert_false(config->sandbox);
	assert_true(parse("run", "--conn-rate", "3", "--control-rate", "4",
	    "--max-head", "2K", "--request-timeout", "0.5", "--idle-timeout",
	    "7", "--max-pipelined", "1", NULL));
	config = &cli->config;
	assert_int_equal(config->conn_rate, 3);
	assert_int_equal(config->control_rate, 4);
	assert_int_equal(config->max_head, 2048);
	assert_int_equal(config->request_ms, 500);
	assert_int_equal(config->idle_ms, 7000);
	assert_int_equal(config->max_pipelined, 1);
}

static void
test_error_names_the_option_and_what_is_wrong(void **state)
{
	(void)state;
	check_refused(
	    "--workers", "0", "--workers 0: must be a number from 1 to 64");
	check_refused(
	    "--workers", "65", "--workers 65: must be a number from 1 to 64");
	check_refused("--watchdog", "2", "--watchdog 2: must be 0 or 1");
	check_refused("--log-level", "loud",
	    "--log-level loud: must be error, warn, info or debug");
	check_refused("--user", "no-such-user-here",
	    "--user no-such-user-here: there is no such user");
	check_refused("--root", "", "--root : must be a path");
	check_refused("--admin", "x",
	    "--admin x: must be PORT or ADDR:PORT, such as 8000, "
	    "127.0.0.1:8000 or [::1]:8000");
	check_refused(
	    "--nope", "1", "--nope: no such option; try 'pubsubd help'");
	check_refused(
	    "--work", "1", "--work: no such option; did you mean --workers?");
	check_refused("--workres=1", NULL,
	    "--workres: no such option; did you mean --workers?");
	check_refused("stray", NULL,
	    "stray: 'run' takes nothing but options; try 'pubsubd help'");
	check_refused("workers", "2",
	    "workers: 'run' takes nothing but options; did you mean "
	    "--workers?");
	check_refused("-n", "1", "-n: not an option; try 'pubsubd help'");
}

/* What is meant is an option of this command, if any is like it. */
static void
test_a_mistyped_command_is_recognised(void **state)
{
	(void)state;
	assert_false(parse("strat", NULL));
	assert_string_equal(
	    error, "strat: no such command; did you mean start?");
	assert_false(parse("--verison", NULL));
	assert_non_null(strstr(error, "did you mean version?"));
	assert_false(parse("frobnicate", NULL));
	assert_string_equal(
	    error, "frobnicate: no such command; try 'pubsubd help'");
	assert_false(parse("stop", "--worker", "2", NULL));
	assert_string_equal(
	    error, "--worker: no such option; try 'pubsubd help'");
	assert_true(parse("-V", NULL));
	assert_int_equal(cli->command, CLI_VERSION);
}

/* --json of sub is not that of pub. */
static void
test_an_option_has_a_meaning_for_each_command(void **state)
{
	(void)state;
	assert_true(parse("pub", "-j", "-W", "2", "t", "1", NULL));
	assert_true(cli->json);
	assert_int_equal(cli->client.timeout_ms, 2000);
	assert_true(parse("sub", "-j", "-W", "3", "t", NULL));
	assert_true(cli->json);
	assert_int_equal(cli->client.timeout_ms, 3000);
	assert_false(parse("topics", "-W", "3", NULL));
	assert_string_equal(error, "-W: not an option of 'topics'");
}

static void
test_value_missing_or_too_much_is_refused(void **state)
{
	(void)state;
	check_refused("--workers", NULL, "--workers: needs a value: N");
	check_refused("--no-respawn=1", NULL, "--no-respawn: takes no value");
	check_refused("--drain=", NULL,
	    "--drain : must be a number of seconds from 0 to 3600, such as 5 "
	    "or 0.25");
}

static void
test_option_of_another_command_is_refused(void **state)
{
	(void)state;
	assert_false(parse("stop", "--workers", "2", NULL));
	assert_string_equal(error, "--workers: not an option of 'stop'");
	assert_false(parse("run", "--json", NULL));
	assert_string_equal(error, "--json: not an option of 'run'");
	assert_false(parse("version", "--name", "a", NULL));
	assert_true(parse("status", "--json", "--name", "a", NULL));
	assert_true(cli->json);
}

static void
test_address_given_twice_is_refused(void **state)
{
	(void)state;
	assert_false(parse(
	    "run", "--listen", "[::1]:80", "--listen", "[0::1]:80", NULL));
	assert_string_equal(error, "--listen [0::1]:80: is given twice");
	assert_true(parse(
	    "run", "--listen", "127.0.0.1:0", "--listen", "[::1]:0", NULL));
	assert_false(
	    parse("run", "--listen", "127.0.0.1:80", "--listen", "80", NULL));
	assert_string_equal(error, "--listen 80: is given twice");
}

/* 9000, :9000 and localhost:9000 were refused. */
static void
test_a_port_alone_is_on_loopback(void **state)
{
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_true(parse("run", "--listen", "9000", NULL));
	assert_in_range(cli->config.listen_count, 1, 2);
	assert_string_equal(
	    address_format(&cli->config.listen[0], text), "127.0.0.1:9000");
	if (cli->config.listen_count == 2)
		assert_string_equal(
		    address_format(&cli->config.listen[1], text), "[::1]:9000");
	assert_string_equal(
	    address_format(&cli->config.admin, text), "127.0.0.1:9001");
	assert_true(parse("run", "--admin", "localhost:9100", NULL));
	assert_string_equal(
	    address_format(&cli->config.admin, text), "127.0.0.1:9100");
}

/* Whether the n-th address is for IPv4 as well. */
static bool
is_dual(size_t n)
{
	return cli->config.listen[n].dual;
}

static void
test_all_of_ipv6_is_for_ipv4_unless_that_is_told(void **state)
{
	(void)state;
	assert_true(parse("run", "--listen", "[::]:9000", NULL));
	assert_true(is_dual(0));
	assert_true(parse("run", "--listen", "[::1]:9000", NULL));
	assert_false(is_dual(0));
	assert_true(parse("run", "--listen", "[::]:9000", "--listen",
	    "127.0.0.1:9000", NULL));
	assert_false(is_dual(0));
	assert_true(parse("run", "--listen", "[::]:9000", "--listen",
	    "127.0.0.1:9001", "--admin", "[::]:9002", NULL));
	assert_true(is_dual(0));
	assert_true(cli->config.admin.dual);
	assert_true(parse("run", "--listen", "*:9000", NULL));
	for (size_t i = 0; i < cli->config.listen_count; i++)
		assert_false(is_dual(i));
}

static void
test_ring_has_room_for_its_largest_records(void **state)
{
	char size[32];

	(void)state;
	snprintf(size, sizeof(size), "%llu",
	    (unsigned long long)(RING_RECORDS_MIN * ring_record_max(1024)));
	assert_true(
	    parse("run", "--max-message", "1024", "--ring-size", size, NULL));
	assert_false(
	    parse("run", "--max-message", "2048", "--ring-size", size, NULL));
	assert_non_null(strstr(error, "--ring-size"));
	assert_non_null(strstr(error, "--max-message 2K"));
}

static void
test_more_connections_than_descriptors_are_refused(void **state)
{
	(void)state;
	assert_false(parse("run", "--max-conns", "16777216", NULL));
	assert_non_null(strstr(error, "--max-conns 16777216"));
	assert_non_null(strstr(error, "descriptors"));
}

static void
test_start_has_a_log_file_and_run_has_none(void **state)
{
	(void)state;
	assert_true(parse("run", NULL));
	assert_null(cli->config.log_path);
	assert_true(parse("start", "--name", "n1", NULL));
	assert_non_null(strstr(cli->config.log_path, "/pubsubd/n1.log"));
	assert_true(cli->default_log);
	assert_true(parse("start", "--log", "/l", NULL));
	assert_false(cli->default_log);
}

static void
test_pidfile_is_named_after_the_instance(void **state)
{
	(void)state;
	assert_true(parse("stop", "--name", "n1", NULL));
	assert_non_null(strstr(cli->config.pidfile, "/n1.pid"));
	assert_non_null(strstr(cli->config.lockfile, "/n1.lock"));
	assert_int_equal(cli->config.pidfile[0], '/');
	assert_true(cli->default_pidfile);
	assert_true(parse("stop", "--pidfile", "/p", NULL));
	assert_false(cli->default_pidfile);
}

static void
test_call_is_kept_with_absolute_paths(void **state)
{
	char here[256], root[300];

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(root, sizeof(root), "--root=%s/some/where", here);
	assert_true(parse("run", "--workers", "2", "--root", "some/where",
	    "--no-respawn", "--log=/l", NULL));
	assert_string_equal(cli->argv[0], "pubsubd");
	assert_string_equal(cli->argv[1], "run");
	assert_string_equal(cli->argv[2], "--workers=2");
	assert_string_equal(cli->argv[3], root);
	assert_string_equal(cli->argv[4], "--no-respawn");
	assert_string_equal(cli->argv[5], "--log=/l");
	assert_null(cli->argv[6]);
}

static void
test_words_and_options_mix(void **state)
{
	(void)state;
	assert_true(parse("pub", "-s", "a/b", "--retry", "-", NULL));
	assert_int_equal(cli->words_len, 2);
	assert_string_equal(cli->words[0], "a/b");
	assert_string_equal(cli->words[1], "-");
	assert_true(cli->client.is_whole);
	assert_true(cli->client.retries);
	assert_true(parse("pub", "a", "--json", "--", "-5", NULL));
	assert_true(cli->json);
	assert_string_equal(cli->words[1], "-5");
	assert_true(parse("sub", "a", "-v", "b", "-C", "3", "c", NULL));
	assert_int_equal(cli->words_len, 3);
	assert_string_equal(cli->words[2], "c");
	assert_int_equal(cli->client.count, 3);
	assert_true(cli->client.is_verbose);
}

static void
test_client_options_arrive(void **state)
{
	(void)state;
	assert_true(parse("sub", "a", "--url", "ws://h:1/ws", "--history", "9",
	    "-W", "1.5", NULL));
	assert_int_equal(cli->client.url_count, 1);
	assert_string_equal(cli->client.urls[0], "ws://h:1/ws");
	assert_true(parse("pub", "a", "-u", "ws://h", "-u", "wss://g",
	    "--url=unix:/s", NULL));
	assert_int_equal(cli->client.url_count, 3);
	assert_string_equal(cli->client.urls[0], "ws://h");
	assert_string_equal(cli->client.urls[2], "unix:/s");
	assert_true(parse("sub", "a", "--url", "ws://h:1/ws", "--history", "9",
	    "-W", "1.5", NULL));
	assert_int_equal(cli->client.history, 9);
	assert_int_equal(cli->client.timeout_ms, 1500);
	assert_false(cli->client.has_since);
	assert_true(parse("sub", "a", "--since", "k3f9:41", NULL));
	assert_true(cli->client.has_since);
	assert_string_equal(cli->client.since_epoch, "k3f9");
	assert_int_equal(cli->client.since_seq, 41);
	assert_true(parse("topics", "--prefix", "room/", "-j", NULL));
	assert_string_equal(cli->client.prefix, "room/");
	assert_true(cli->json);
}

static void
test_an_instance_is_meant_only_if_named(void **state)
{
	(void)state;
	assert_true(parse("topics", NULL));
	assert_false(cli->client.is_named);
	assert_true(parse("topics", "--name", "main", NULL));
	assert_true(cli->client.is_named);
	assert_true(parse("topics", "--pidfile", "/p", NULL));
	assert_true(cli->client.is_named);
}

/* Parse these words: this must be the reason why not. */
#define check_wrong(reason, ...)                    \
	do {                                        \
		assert_false(parse(__VA_ARGS__));   \
		assert_string_equal(error, reason); \
	} while (0)

static void
test_clients_say_what_is_wrong(void **state)
{
	(void)state;
	check_wrong("pub: needs TOPIC [MESSAGE|-]", "pub", NULL);
	check_wrong("sub: needs TOPIC...", "sub", "-v", NULL);
	check_wrong("c: one word too many; a message with spaces needs quotes",
	    "pub", "a", "b", "c", NULL);
	check_wrong("a: 'topics' takes nothing but options; try 'pubsubd help'",
	    "topics", "a", NULL);
	check_wrong("-v: not an option of 'pub'", "pub", "-v", "a", NULL);
	check_wrong("-x: not an option; try 'pubsubd help'", "pub", "-x", NULL);
	check_wrong(
	    "--retry: not an option of 'sub'", "sub", "a", "--retry", NULL);
	check_wrong("--url ftp://a: must be ws://HOST:PORT/ws or "
		    "http://HOST:PORT, or wss:// or https:// for TLS, "
		    "or unix:PATH",
	    "sub", "a", "-u", "ftp://a", NULL);
	check_wrong("--url : must be ws://HOST:PORT/ws or http://HOST:PORT, or "
		    "wss:// or https:// for TLS, or unix:PATH",
	    "sub", "a", "-u", "ws://h", "-u", "", NULL);
	check_wrong("--since 41: must be EPOCH:SEQ, such as k3f9:41", "sub",
	    "a", "--since", "41", NULL);
	check_wrong("--since: there is --history, too", "sub", "a", "--since",
	    "e:1", "--history", "1", NULL);
	check_wrong("--since: goes with one topic, for each has numbers of its "
		    "own",
	    "sub", "a", "b", "--since", "e:1", NULL);
	check_wrong(
	    "--whole: there is a message, too", "pub", "-s", "a", "b", NULL);
	check_wrong("--url: there is --name or --pidfile, too", "topics",
	    "--url", "ws://h", "--name", "n", NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_each_command_is_known),
	cmocka_unit_test(test_operator_has_the_port_after_the_public_ones),
	cmocka_unit_test(test_lock_file_is_not_served),
	cmocka_unit_test(test_operator_does_not_share_a_public_address),
	cmocka_unit_test(test_each_command_has_help_of_its_own),
	cmocka_unit_test(test_value_may_follow_its_letter),
	cmocka_unit_test(test_missing_or_unknown_command_is_refused),
	cmocka_unit_test(test_defaults_are_those_of_the_design),
	cmocka_unit_test(test_listens_on_loopback_unless_told),
	cmocka_unit_test(test_workers_are_the_cores_this_process_may_use),
	cmocka_unit_test(test_value_stands_behind_a_space_or_an_equals_sign),
	cmocka_unit_test(test_last_of_a_repeated_option_counts),
	cmocka_unit_test(test_every_option_arrives),
	cmocka_unit_test(test_error_names_the_option_and_what_is_wrong),
	cmocka_unit_test(test_a_mistyped_command_is_recognised),
	cmocka_unit_test(test_an_option_has_a_meaning_for_each_command),
	cmocka_unit_test(test_value_missing_or_too_much_is_refused),
	cmocka_unit_test(test_option_of_another_command_is_refused),
	cmocka_unit_test(test_address_given_twice_is_refused),
	cmocka_unit_test(test_a_port_alone_is_on_loopback),
	cmocka_unit_test(test_all_of_ipv6_is_for_ipv4_unless_that_is_told),
	cmocka_unit_test(test_ring_has_room_for_its_largest_records),
	cmocka_unit_test(test_more_connections_than_descriptors_are_refused),
	cmocka_unit_test(test_start_has_a_log_file_and_run_has_none),
	cmocka_unit_test(test_pidfile_is_named_after_the_instance),
	cmocka_unit_test(test_call_is_kept_with_absolute_paths),
	cmocka_unit_test(test_words_and_options_mix),
	cmocka_unit_test(test_client_options_arrive),
	cmocka_unit_test(test_an_instance_is_meant_only_if_named),
	cmocka_unit_test(test_clients_say_what_is_wrong),
};

SUITE_MAIN(tests);
