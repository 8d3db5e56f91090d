/* SPDX-License-Identifier: MIT */
/*
 * test_parse_cost.c - reading a message costs what it is long, not its square.
 *
 * Texts of many shapes, each a thousand times the same piece, are read as a
 * client's message; eight times the text may take three times eight times as
 * long, where a square would take sixty-four times.  Only this quotient is
 * looked at: of processor time, the least of several runs, so that neither the
 * machine nor its load matters.
 */

#include "common/buf.h"
#include "common/clock.h"
#include "common/utf8.h"
#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "worker/protocol/plain.h"
#include "worker/protocol/v1_request.h"

#include <stdlib.h>
#include <string.h>

#define LONG_TEXT 65536u
#define TIMES     8u /* as long as the short one */
#define SLACK     3u
#define RUNS      7
#define ATTEMPTS  5
#define EACH_RUN  2000000u /* ns at least */

static const struct shape {
	const char *head, *piece, *tail;
} shapes[] = {
	{ "{\"topic\":\"t\",\"message\":\"", "x", "\"}" },
	{ "{\"topic\":\"t\",\"message\":\"", "\\ud800", "\"}" },
	{ "{\"topic\":\"t\",\"message\":\"", "\\\\", "\"}" },
	{ "{\"topic\":\"", "\\n", "\"}" },
	{ "{\"topic\":\"", "\xc3\xa9", "\"}" },
	{ "{\"type\":\"publish\",\"topic\":\"t\",\"message\":[1", ",[]", "]}" },
	{ "{\"type\":\"publish\",\"topic\":\"t\",\"message\":[1", ",[[[[]]]]",
	    "]}" },
	{ "{\"type\":\"publish\",\"topic\":\"t\",\"message\":[1", ",{\"a\":{}}",
	    "]}" },
	{ "{\"type\":\"publish\",\"topic\":\"t\",\"message\":", "1", "}" },
	{ "{\"type\":\"ping\"", ",\"a\":1", "}" },
	{ "{\"type\":\"ping\"", ",\"type\":\"ping\"", "}" },
	{ "{\"topic\":\"t\"", ",\"message\":\"\\u0061\"", "}" },
	{ "{\"topic\":\"t\"", ",\"message\":{}", "}" },
	{ "{\"type\":\"subscribe\",\"topic\":\"t\",\"since\":{\"seq\":1",
	    ",\"epoch\":\"e\"", "}}" },
	{ "", " ", "{}" },
	{ "{\"id\":\"", "i", "\",\"type\":\"ping\"}" },
	{ "[", "[],", "[]]" },
	{ "{\"type\":\"ping\",\"", "\\u0074", "\":1}" },
	{ "{\"type\":\"", "ping", "\"}" },
};

/* A shape, about len bytes of it. */
static void
make_text(struct buf *buf, const struct shape *shape, size_t len)
{
	buf_reset(buf);
	buf_puts(buf, shape->head);
	while (buf->len < len)
		buf_puts(buf, shape->piece);
	buf_puts(buf, shape->tail);
}

struct reading {
	struct json_reader json;
	struct v1_reader v1;
	struct buf text;
	char *room; /* for what is stored */
};

/* Do with the text what the worker does with a frame, by both contracts. */
static void
read_once(struct reading *r)
{
	struct intake_request want;
	struct plain_request plain;
	struct plain_error error;

	v1_parse(&r->v1, false, r->text.at, r->text.len, &want);
	if (want.kind == INTAKE_PLAIN || want.kind == INTAKE_PUBLISH)
		json_normalise(want.body, want.body_len, r->room);
	plain_parse(&r->json, true, r->text.at, r->text.len, LONG_TEXT * 2,
	    &plain, &error);
}

/* Nanoseconds of processor time that one reading takes, the least of some. */
static double
cost(struct reading *r, size_t repetitions)
{
	uint64_t least = UINT64_MAX;

	for (int run = 0; run < RUNS; run++) {
		uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID), took;

		for (size_t i = 0; i < repetitions; i++)
			read_once(r);
		took = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
		if (took < least)
			least = took;
	}
	return (double)least / (double)repetitions;
}

/* How many readings make a run that a clock can measure. */
static size_t
repetitions(struct reading *r)
{
	uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	size_t n = 0;

	do {
		read_once(r);
		n++;
	} while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start < EACH_RUN);
	return n;
}

/* How many times as long the long text takes. */
static double
quotient(struct reading *r, const struct shape *shape)
{
	double brief, lengthy;

	make_text(&r->text, shape, LONG_TEXT / TIMES);
	brief = cost(r, repetitions(r));
	make_text(&r->text, shape, LONG_TEXT);
	lengthy = cost(r, repetitions(r));
	return lengthy / brief;
}

static void
test_cost_grows_with_the_length(void **state)
{
	struct reading r = { .room = xmalloc(LONG_TEXT * 2) };

	(void)state;
	json_reader_init(&r.json);
	buf_init(&r.text);
	buf_init(&r.v1.topic);
	r.v1.json = &r.json;
	r.v1.epoch = "e";
	r.v1.body_max = LONG_TEXT * 2;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		double times = TIMES * SLACK + 1;

		for (int n = 0; n < ATTEMPTS && times > TIMES * SLACK; n++)
			times = quotient(&r, &shapes[i]);
		if (times > TIMES * SLACK)
			fail_msg("%s%s...: %u times as long takes %.1f times "
				 "as long",
			    shapes[i].head, shapes[i].piece, TIMES, times);
	}
	buf_fini(&r.v1.topic);
	buf_fini(&r.text);
	json_reader_fini(&r.json);
	free(r.room);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_cost_grows_with_the_length),
};

SUITE_MAIN(tests);
