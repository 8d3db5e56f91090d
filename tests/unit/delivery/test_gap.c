/* SPDX-License-Identifier: MIT */
/* test_gap.c - the text of a gap, and how it grows in the queue. */

#include "common/ws.h"
#include "tests/support/suite.h"
#include "worker/api/event_form.h"
#include "worker/delivery/form.h"
#include "worker/protocol/v1.h"
#include "worker/net/outq.h"
#include "worker/delivery/subs.h"

#include <stdlib.h>
#include <string.h>

static struct sub_topic *
topic_new(const char *name)
{
	struct sub_topic *topic = calloc(1, sizeof(*topic) + 1);

	assert_non_null(topic);
	buf_json_string(&topic->json, name, strlen(name));
	return topic;
}

static void
topic_free(struct sub_topic *topic)
{
	buf_fini(&topic->json);
	free(topic);
}

/* Put a gap behind other bytes; its text must be this, and the digits of the
 * second number where it says. */
static void
expect(const struct form *form, uint64_t from, uint64_t to,
    enum gap_reason reason, const char *text)
{
	struct sub_topic *topic = topic_new("a \"room\"");
	size_t header = form == &event_form ? 0 : 2;
	char digits[OUTQ_GAP_DIGITS], line[OUTQ_GAP_LINE];
	struct outq_gap_places at;
	struct buf buf;

	buf_init(&buf);
	buf_puts(&buf, "before");
	at = form_put_gap(form, &buf, topic, from, to, reason, "k3f9");
	assert_memory_equal(buf.at, "before", 6);
	assert_int_equal(buf.len, 6 + header + strlen(text));
	assert_memory_equal(buf.at + 6 + header, text, strlen(text));
	if (header > 0) {
		assert_int_equal((uint8_t)buf.at[6], 0x80 | WS_TEXT);
		assert_int_equal((uint8_t)buf.at[7], strlen(text));
	}
	if (from != 0) {
		outq_gap_digits(digits, to);
		assert_memory_equal(
		    buf.at + 6 + at.digits, digits, sizeof(digits));
		outq_gap_line(line, to);
		if (at.line != 0)
			assert_memory_equal(
			    buf.at + 6 + at.line, line, sizeof(line));
	}
	buf_fini(&buf);
	topic_free(topic);
}

static void
test_text_and_digits(void **state)
{
	(void)state;
	expect(&v1_form, 1, 1, GAP_SLOW,
	    "{\"type\":\"gap\",\"topic\":\"a \\\"room\\\"\",\"from\":1,"
	    "\"to\":1               ,\"reason\":\"slow\"}");
	expect(&v1_form, 49, (UINT64_C(1) << 53) - 1, GAP_LAPPED,
	    "{\"type\":\"gap\",\"topic\":\"a \\\"room\\\"\",\"from\":49,"
	    "\"to\":9007199254740991,\"reason\":\"lapped\"}");
	expect(&event_form, 49, 131, GAP_EXPIRED,
	    "event: gap\ndata: {\"type\":\"gap\",\"topic\":"
	    "\"a \\\"room\\\"\",\"from\":49,\"to\":131             ,"
	    "\"reason\":\"expired\"}\nid: k3f9:131\n::::::::::::::\n\n");
	expect(&event_form, 49, (UINT64_C(1) << 53) - 1, GAP_EXPIRED,
	    "event: gap\ndata: {\"type\":\"gap\",\"topic\":"
	    "\"a \\\"room\\\"\",\"from\":49,\"to\":9007199254740991,"
	    "\"reason\":\"expired\"}\nid: k3f9:9007199254740991\n:\n\n");
}

/* The number in a chunk stands where the form says. */
static void
test_grows_in_a_chunk(void **state)
{
	struct sub_topic *topic = topic_new("r");
	struct outq *q = outq_new(NULL);
	struct iovec iov[1];
	struct buf buf;
	struct outq_gap_places at;

	(void)state;
	buf_init(&buf);
	at = form_put_gap(
	    &event_chunk_form, &buf, topic, 7, 7, GAP_SLOW, "k3f9");
	outq_add_gap(q, 3, 7, NULL, buf.at, (uint32_t)buf.len, at);
	for (uint64_t seq = 8; seq <= 123; seq++)
		assert_true(outq_extend_gap(q, 3, seq));
	buf_reset(&buf);
	form_put_gap(&event_chunk_form, &buf, topic, 7, 123, GAP_SLOW, "k3f9");
	assert_int_equal(outq_iov(q, iov, 1), 1);
	assert_int_equal(iov[0].iov_len, buf.len);
	assert_memory_equal(iov[0].iov_base, buf.at, buf.len);
	outq_free(&q);
	buf_fini(&buf);
	topic_free(topic);
}

static void
test_without_numbers(void **state)
{
	(void)state;
	expect(&v1_form, 0, 0, GAP_UNKNOWN,
	    "{\"type\":\"gap\",\"topic\":\"a \\\"room\\\"\","
	    "\"reason\":\"unknown\"}");
	expect(&v1_form, 0, 0, GAP_EPOCH,
	    "{\"type\":\"gap\",\"topic\":\"a \\\"room\\\"\","
	    "\"reason\":\"epoch\"}");
	/* Nobody acks a subscription that has come to another ring. */
	expect(&v1_form, 0, 17, GAP_MOVED,
	    "{\"type\":\"gap\",\"topic\":\"a \\\"room\\\"\","
	    "\"reason\":\"epoch\",\"epoch\":\"k3f9\",\"seq\":17}");
	/* An event says where messages go on. */
	expect(&event_form, 0, 17, GAP_EPOCH,
	    "event: gap\ndata: {\"type\":\"gap\",\"topic\":"
	    "\"a \\\"room\\\"\",\"reason\":\"epoch\"}\n"
	    "id: k3f9:17\n:::::::::::::::\n\n");
}

/* The queue writes the number that it has grown to where the form said, also
 * where the frame's header is the longer one. */
static void
test_grows_in_the_queue(void **state)
{
	char name[201];
	struct sub_topic *topic;
	struct iovec iov[4];
	struct outq *q = outq_new(NULL);
	struct buf buf;
	struct outq_gap_places at;

	(void)state;
	memset(name, 'n', 200);
	name[200] = '\0';
	topic = topic_new(name);
	buf_init(&buf);
	at = form_put_gap(&v1_form, &buf, topic, 7, 7, GAP_SLOW, "k3f9");
	outq_add_gap(q, 3, 7, NULL, buf.at, (uint32_t)buf.len, at);
	for (uint64_t seq = 8; seq <= 12345; seq++)
		assert_true(outq_extend_gap(q, 3, seq));
	assert_false(outq_extend_gap(q, 3, 12347));
	assert_false(outq_extend_gap(q, 4, 12346));
	buf_reset(&buf);
	form_put_gap(&v1_form, &buf, topic, 7, 12345, GAP_SLOW, "k3f9");
	assert_int_equal(outq_iov(q, iov, 4), 1);
	assert_int_equal(iov[0].iov_len, buf.len);
	assert_memory_equal(iov[0].iov_base, buf.at, buf.len);
	outq_free(&q);
	buf_fini(&buf);
	topic_free(topic);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_text_and_digits),
	cmocka_unit_test(test_grows_in_a_chunk),
	cmocka_unit_test(test_without_numbers),
	cmocka_unit_test(test_grows_in_the_queue),
};

SUITE_MAIN(tests);
