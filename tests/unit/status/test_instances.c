/* SPDX-License-Identifier: MIT */
/* test_instances.c - what broker/status/instances.h promises, of segments that
 * the test makes. */

#include "broker/ring/store.h"
#include "broker/status/instances.h"
#include "common/address.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RING_SIZE 8192u

static char name[CONFIG_NAME_MAX + 1];
static struct segment seg;
static int claim;

/* The segment of a server that says that it listens so. */
static int
setup(void **state)
{
	char error[SEGMENT_ERROR_MAX];

	(void)state;
	snprintf(name, sizeof(name), "unit-%d", (int)getpid());
	assert_true(store_create(&seg, name,
	    &(struct segment_shape){
		.ring_size = RING_SIZE, .topics_max = 4, .keys_max = 64 },
	    &claim, error));
	strcpy(seg.header->run.urls,
	    "http://127.0.0.1:8000 http://[::]:9000 http://nowhere");
	strcpy(seg.header->run.admin, "http://127.0.0.1:8001");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	segment_close(&seg);
	segment_remove(name, claim);
	return 0;
}

/* How often a walk comes across the test's own. */
static unsigned
walk(bool *is_alive)
{
	struct instances all;
	struct instance one;
	unsigned found = 0;

	instances_open(&all, &one);
	while (instances_next(&all, &one)) {
		if (strcmp(one.name, name) != 0)
			continue;
		found++;
		*is_alive = one.is_alive;
		assert_int_equal(one.owner, geteuid());
		assert_string_equal(one.seg.header->epoch, seg.header->epoch);
	}
	instances_close(&all, &one);
	return found;
}

static void
test_a_walk_finds_each_once(void **state)
{
	bool is_alive = false;

	(void)state;
	assert_int_equal(walk(&is_alive), 1);
	assert_true(is_alive);
}

static void
test_found_by_its_name(void **state)
{
	struct instance one;

	(void)state;
	assert_true(instance_find(&one, name));
	assert_string_equal(one.name, name);
	instance_release(&one);
	assert_null(one.seg.header);
	assert_false(instance_find(&one, "unit-no-such"));
}

/* The claim is what lives; the file alone may be a killed server's. */
static void
test_without_its_claim_it_is_dead(void **state)
{
	struct config_address address;
	struct instance one;

	(void)state;
	close(claim);
	segment_close(&seg); /* a mapping keeps no lock, and is not needed */
	assert_true(instance_find(&one, name));
	assert_false(one.is_alive);
	assert_null(address_parse(&address, "127.0.0.1:8000"));
	assert_false(instance_listens(&one, &address));
	instance_release(&one);
	assert_int_equal(
	    segment_claim(name, &claim, (char[SEGMENT_ERROR_MAX]){ 0 }),
	    SEGMENT_OK);
}

static void
test_where_it_listens(void **state)
{
	static const struct {
		const char *address;
		bool is_taken;
	} cases[] = {
		{ "127.0.0.1:8000", true },
		{ "127.0.0.1:8001", true }, /* the operator's */
		{ "0.0.0.0:8000", true },
		{ "127.0.0.2:8000", false },
		{ "[::1]:8000", false },
		{ "127.0.0.1:8002", false },
		{ "[::1]:9000", true }, /* theirs is on all */
		{ "[2001:db8::1]:9000", true },
		{ "127.0.0.1:9000", false },
	};
	char found[CONFIG_NAME_MAX + 1];
	struct config_address address;
	struct instance one;

	(void)state;
	assert_true(instance_find(&one, name));
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_null(address_parse(&address, cases[i].address));
		if (instance_listens(&one, &address) != cases[i].is_taken)
			fail_msg("%s", cases[i].address);
	}
	instance_release(&one);
	assert_null(address_parse(&address, "[2001:db8::1]:9000"));
	assert_true(instances_who_listens(&address, "main", found));
	assert_string_equal(found, name);
	assert_false(instances_who_listens(&address, name, found));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_a_walk_finds_each_once),
	T(test_found_by_its_name),
	T(test_without_its_claim_it_is_dead),
	T(test_where_it_listens),
};

SUITE_MAIN(tests);
