/* SPDX-License-Identifier: MIT */
/* test_vec.c - what common/vec.h promises, and that the portable way is the same
 * as this processor's. */

#include "common/vec.h"
#include "tests/support/suite.h"

/* Every set of two bytes, seen from every index. */
static void
test_first_is_found_from_any_index(void **state)
{
	(void)state;
	for (unsigned a = 0; a <= VEC_LEN; a++)
		for (unsigned b = a; b <= VEC_LEN; b++)
			for (unsigned from = 0; from < VEC_LEN; from++) {
				uint8_t bytes[VEC_LEN + 1] = { 0 };
				unsigned first = a >= from   ? a
				                 : b >= from ? b
				                             : VEC_LEN;
				vec v;

				bytes[a] = bytes[b] = 0xff;
				v = vec_load(bytes);
				assert_int_equal(vec_first(v, from), first);
				assert_int_equal(
				    vec_first_portable(v, from), first);
			}
}

static void
test_fold_sees_every_byte(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VEC_LEN; i++) {
		uint8_t bytes[VEC_LEN] = { 0 };

		assert_int_equal(vec_fold(vec_load(bytes)), 0);
		bytes[i] = 1;
		assert_int_not_equal(vec_fold(vec_load(bytes)), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_first_is_found_from_any_index),
	cmocka_unit_test(test_fold_sees_every_byte),
};

SUITE_MAIN(tests);
