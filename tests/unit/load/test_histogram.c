/* SPDX-License-Identifier: MIT */
/*
 * test_histogram.c - what tests/load/histogram.h promises, against a sorted
 * array of the same values.
 */

#include "tests/load/histogram.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define VALUES 10000
#define SEED   20240229u

static const double shares[] = { 0, 0.01, 0.5, 0.9, 0.99, 0.999, 1 };
#define SHARES COUNT(shares)

static struct histogram histogram, other;
static uint64_t values[VALUES];

static int
setup(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	memset(&other, 0, sizeof(other));
	return 0;
}

static int
compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Values of every size up to 2^39, small ones as often as large ones. */
static void
make_values(unsigned seed)
{
	print_message("seed %u\n", seed);
	for (size_t i = 0; i < VALUES; i++) {
		uint64_t wide = (uint64_t)rand_r(&seed) << 31;

		wide |= (uint64_t)rand_r(&seed);
		values[i] = wide >> (23 + rand_r(&seed) % 39);
	}
}

/* Each quantile is at least the true one, and at most 1/128 above it. */
static void
check_quantiles(const struct histogram *h)
{
	qsort(values, VALUES, sizeof(*values), compare);
	for (size_t i = 0; i < SHARES; i++) {
		size_t rank = (size_t)(shares[i] * VALUES + 0.999999);
		uint64_t truth = values[rank > 0 ? rank - 1 : 0];

		assert_in_range(histogram_quantile(h, shares[i]), truth,
		    truth + truth / 128);
	}
}

static void
test_empty_has_no_quantile(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
	assert_int_equal(histogram.count, 0);
}

static void
test_small_values_are_exact(void **state)
{
	(void)state;
	for (uint64_t value = 1; value <= 200; value++)
		histogram_add(&histogram, value);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 100);
	assert_int_equal(histogram_quantile(&histogram, 0), 1);
	assert_int_equal(histogram_quantile(&histogram, 1), 200);
}

/* Also at the powers of two, where the width of the buckets changes. */
static void
test_every_value_is_known_within_a_128th(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < HISTOGRAM_VALUE_BITS; bit++)
		for (int off = -1; off <= 1; off++) {
			uint64_t value = ((uint64_t)1 << bit) + (uint64_t)off;

			if (value >> HISTOGRAM_VALUE_BITS != 0)
				continue;
			memset(&histogram, 0, sizeof(histogram));
			histogram_add(&histogram, value);
			histogram_add(&histogram, UINT64_MAX);
			assert_in_range(histogram_quantile(&histogram, 0.5),
			    value, value + value / 128);
		}
}

static void
test_quantiles_of_many_values(void **state)
{
	(void)state;
	make_values(SEED);
	for (size_t i = 0; i < VALUES; i++)
		histogram_add(&histogram, values[i]);
	assert_int_equal(histogram.count, VALUES);
	check_quantiles(&histogram);
}

static void
test_merged_is_as_if_counted_together(void **state)
{
	static struct histogram merged;

	(void)state;
	make_values(SEED + 1);
	for (size_t i = 0; i < VALUES; i++)
		histogram_add(i % 3 == 0 ? &histogram : &other, values[i]);
	histogram_merge(&merged, &histogram);
	histogram_merge(&merged, &other);
	assert_int_equal(merged.count, VALUES);
	check_quantiles(&merged);
	assert_int_equal(merged.max, values[VALUES - 1]);
}

static void
test_value_beyond_the_range_is_the_maximum(void **state)
{
	(void)state;
	histogram_add(&histogram, 5);
	histogram_add(&histogram, UINT64_MAX);
	assert_true(histogram.max == UINT64_MAX);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 5);
	assert_int_equal(histogram_quantile(&histogram, 1),
	    ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_empty_has_no_quantile, setup),
	cmocka_unit_test_setup(test_small_values_are_exact, setup),
	cmocka_unit_test_setup(test_every_value_is_known_within_a_128th, setup),
	cmocka_unit_test_setup(test_quantiles_of_many_values, setup),
	cmocka_unit_test_setup(test_merged_is_as_if_counted_together, setup),
	cmocka_unit_test_setup(
	    test_value_beyond_the_range_is_the_maximum, setup),
};

SUITE_MAIN(tests);
