/* SPDX-License-Identifier: MIT */
/* test_topic_name.c - which names worker/requests/topic_name.h lets pass. */

#include "tests/support/suite.h"
#include "worker/requests/topic_name.h"

#include <stdlib.h>
#include <string.h>

#define MOST 255u

/* Look at a copy that ends where its memory does. */
static bool
is_valid(const char *name, size_t len)
{
	char *copy = malloc(len + (len == 0));
	const char *why = NULL;
	bool valid;

	assert_non_null(copy);
	memcpy(copy, name, len);
	valid = topic_name_valid(copy, len, &why);
	assert_true(valid || why != NULL);
	free(copy);
	return valid;
}

/* Sixteen bytes are looked at together: each piece in each place of names of
 * each length around that. */
static void
test_every_byte_of_a_name_counts(void **state)
{
	static const struct {
		const char *piece;
		bool valid;
	} pieces[] = {
		{ " ", true },
		{ "~", true },
		{ "\x1f", false },
		{ "\x7f", false },
		{ "\n", false },
		{ "\x01", false },
		{ "\xc3\xa9", true },
		{ "\xc2\xa0", true },
		{ "\xc2\x85", false },
		{ "\xc3", false },
		{ "\x80", false },
		{ "\xff", false },
		{ "\xf0\x9f\x90\xb1", true },
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++)
		for (size_t len = 0; len < 50; len++)
			for (size_t at = 0; at <= len; at++) {
				size_t n = strlen(pieces[i].piece);

				memset(name, 'x', sizeof(name));
				memcpy(name + at, pieces[i].piece, n);
				assert_int_equal(
				    is_valid(name, len + n), pieces[i].valid);
			}
	assert_false(is_valid("a\0b", 3));
}

static void
test_length_is_limited(void **state)
{
	char name[MOST + 1];

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_true(is_valid(name, 0));
	assert_true(is_valid(name, MOST));
	assert_false(is_valid(name, MOST + 1));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_every_byte_of_a_name_counts),
	cmocka_unit_test(test_length_is_limited),
};

SUITE_MAIN(tests);
