/* SPDX-License-Identifier: MIT */
/* test_failure.c - each result of a request is a failure with words, or none. */

#include "worker/requests/failure.h"

#include "common/config.h"
#include "common/ws.h"
#include "tests/support/suite.h"
#include "worker/requests/intake.h"

#include <string.h>

static const enum intake_result none[] = { INTAKE_DONE, INTAKE_LATER,
	INTAKE_WAITING, INTAKE_PUT_OFF };

static bool
is_none(unsigned result)
{
	for (size_t i = 0; i < COUNT(none); i++)
		if (none[i] == result)
			return true;
	return false;
}

static void
test_every_result_is_told_or_none(void **state)
{
	struct config config = { .max_topics = UINT32_MAX,
		.max_topics_per_conn = UINT32_MAX,
		.max_patterns_per_conn = UINT32_MAX };
	struct net net = { .config = &config };
	struct hub hub = { .net = &net };
	char text[FAILURE_TEXT_MAX];
	struct failure failure;

	(void)state;
	for (unsigned i = 0; i <= INTAKE_PATTERNS_FULL; i++) {
		struct intake_op op = { .result = (enum intake_result)i };

		assert_int_equal(failure_of(&hub, &op, &failure), !is_none(i));
		if (is_none(i))
			continue;
		failure_text(&failure, text);
		assert_string_equal(
		    text + strlen(text) - strlen(failure.reason),
		    failure.reason); /* whole */
		assert_in_range(
		    strlen(failure.code) + 2 + strlen(text), 1, WS_REASON_MAX);
	}
}

static void
test_a_limit_stands_in_front(void **state)
{
	struct config config = { .max_topics_per_conn = 128 };
	struct net net = { .config = &config };
	struct hub hub = { .net = &net };
	struct intake_op op = { .result = INTAKE_TOO_MANY };
	char text[FAILURE_TEXT_MAX];
	struct failure failure;

	(void)state;
	assert_true(failure_of(&hub, &op, &failure));
	failure_text(&failure, text);
	assert_string_equal(text, "128 topics per connection");
}

static void
test_words_depend_on_the_request(void **state)
{
	struct config config = { .max_topics = 1 };
	struct net net = { .config = &config };
	struct hub hub = { .net = &net };
	struct intake_op op = { .result = INTAKE_FORBIDDEN };
	struct failure failure;

	(void)state;
	assert_true(failure_of(&hub, &op, &failure));
	assert_string_equal(failure.reason, "there is no grant for this");
	op.want.kind = INTAKE_AUTH;
	assert_true(failure_of(&hub, &op, &failure));
	assert_string_equal(failure.reason, "the token is another user's");
	op.result = INTAKE_NOT_SUBSCRIBED;
	op.want.kind = INTAKE_UNSUBSCRIBE_PATTERN;
	assert_true(failure_of(&hub, &op, &failure));
	assert_non_null(strstr(failure.reason, "pattern"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_every_result_is_told_or_none),
	cmocka_unit_test(test_a_limit_stands_in_front),
	cmocka_unit_test(test_words_depend_on_the_request),
};

SUITE_MAIN(tests);
