/* SPDX-License-Identifier: MIT */
/* test_crc32c.c - what common/crc32c.h promises. */

#include "common/crc32c.h"
#include "tests/support/suite.h"

#include <string.h>

static void
test_the_vectors_of_rfc_3720(void **state)
{
	unsigned char data[32];

	(void)state;
	memset(data, 0, sizeof(data));
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x62a8ab43);
	for (unsigned char i = 0; i < sizeof(data); i++)
		data[i] = i;
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x46dd794e);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, NULL, 0), 0);
}

static void
test_pieces_are_the_whole(void **state)
{
	uint32_t crc = 0;

	(void)state;
	for (const char *at = "123456789"; *at != '\0'; at++)
		crc = crc32c(crc, at, 1);
	assert_int_equal(crc, 0xe3069283);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_vectors_of_rfc_3720),
	cmocka_unit_test(test_pieces_are_the_whole),
};

SUITE_MAIN(tests);
