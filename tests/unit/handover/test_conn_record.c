/* SPDX-License-Identifier: MIT */
/*
 * test_conn_record.c - what worker/handover/conn_record.h promises, one test per
 * promise.
 *
 * Every test begins with a record that is whole, and the test that expects a
 * refusal changes one thing in it.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/out.h"
#include "worker/delivery/form.h"
#include "worker/handover/conn_record.h"

#include <string.h>

/* Tags that no version of this program has. */
#define TAG_NEW      0x0100u
#define TAG_OPTIONAL (FIELD_OPTIONAL | 0x0100u)

static const struct conn_record_head head = {
	.number = 12345678901,
	.deadline_ms = 29000,
	.heard_ms = 1000,
	.messages_left = -3,
	.controls_left = 20,
	.buffer_max = 256,
	.kind = CONN_RECORD_WEBSOCKET,
	.form = FORM_ENVELOPE,
	.overflow = OUTQ_LATEST,
	.flags = CONN_RECORD_PINGED,
};

static const struct conn_record_sub rooms[] = {
	{ .name = "room", .name_len = 4, .told = 48 },
	{ .name = "caf\xc3\xa9",
	    .name_len = 5,
	    .flags = CONN_RECORD_NO_ECHO | CONN_RECORD_WATCHES,
	    .ahead = 3 },
};

static const struct conn_record_item answer = {
	.kind = CONN_RECORD_ANSWER, .len = 6, .data = "answer"
};
static const struct conn_record_item message = {
	.kind = CONN_RECORD_MESSAGE, .sub = 1, .seq = 7, .len = 2, .data = "hi"
};
static const struct conn_record_item gap = {
	.kind = CONN_RECORD_GAP,
	.sub = 0,
	.seq = 50,
	.at = { .digits = 3 },
	.len = 20,
	.data = "to:48               ",
};

static enum conn_record_status
read_out(struct conn_record *record)
{
	return conn_record_read(record, out.at, out.len);
}

static void
put_head(void)
{
	assert_true(conn_record_put_head(&out, &head));
}

static void
put_rooms(void)
{
	for (size_t i = 0; i < COUNT(rooms); i++)
		assert_true(conn_record_put_sub(&out, &rooms[i]));
}

static void
assert_refused(void)
{
	struct conn_record record;

	assert_int_equal(read_out(&record), CONN_RECORD_BROKEN);
}

static void
assert_same_item(
    struct conn_record *record, const struct conn_record_item *item)
{
	struct conn_record_item got;

	assert_true(conn_record_next_item(record, &got));
	assert_int_equal(got.kind, item->kind);
	assert_int_equal(got.sub, item->sub);
	assert_int_equal(got.seq, item->seq);
	assert_int_equal(got.at.digits, item->at.digits);
	assert_int_equal(got.at.line, item->at.line);
	assert_int_equal(got.len, item->len);
	assert_memory_equal(got.data, item->data, item->len);
}

static void
test_all_parts_come_back(void **state)
{
	struct conn_record record;
	struct conn_record_sub sub;
	struct conn_record_item item;

	(void)state;
	put_head();
	conn_record_put_protocol(&out, "pubsubd.v1");
	conn_record_put_input(&out, "\x81", 1);
	put_rooms();
	conn_record_put_item(&out, &answer);
	conn_record_put_item(&out, &gap);
	conn_record_put_item(&out, &message);
	conn_record_put_begun(&out, 5);
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	assert_memory_equal(&record.head, &head, sizeof(head));
	assert_int_equal(record.protocol_len, 10);
	assert_memory_equal(record.protocol, "pubsubd.v1", 10);
	assert_int_equal(record.input_len, 1);
	assert_memory_equal(record.input, "\x81", 1);
	for (size_t i = 0; i < COUNT(rooms); i++) {
		assert_true(conn_record_next_sub(&record, &sub));
		assert_int_equal(sub.name_len, rooms[i].name_len);
		assert_memory_equal(sub.name, rooms[i].name, sub.name_len);
		assert_int_equal(sub.told, rooms[i].told);
		assert_int_equal(sub.flags, rooms[i].flags);
		assert_int_equal(sub.ahead, rooms[i].ahead);
	}
	assert_false(conn_record_next_sub(&record, &sub));
	assert_same_item(&record, &answer);
	assert_same_item(&record, &gap);
	assert_same_item(&record, &message);
	assert_false(conn_record_next_item(&record, &item));
	assert_int_equal(record.begun, 5);
}

static void
test_an_idle_connection_is_its_head(void **state)
{
	struct conn_record record;
	struct conn_record_sub sub;
	struct conn_record_item item;

	(void)state;
	put_head();
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	assert_null(record.protocol);
	assert_null(record.input);
	assert_false(conn_record_next_sub(&record, &sub));
	assert_false(conn_record_next_item(&record, &item));
}

static void
test_every_cut_but_one_between_fields_is_refused(void **state)
{
	struct conn_record record;
	size_t whole_head;
	char *copy;

	(void)state;
	put_head();
	whole_head = out.len;
	conn_record_put_item(&out, &answer);
	for (size_t len = 0; len < out.len; len++) {
		copy = test_malloc(len + 1); /* a look behind it is noticed */
		memcpy(copy, out.at, len);
		assert_int_equal(conn_record_read(&record, copy, len),
		    len == whole_head ? CONN_RECORD_OK : CONN_RECORD_BROKEN);
		test_free(copy);
	}
}

static void
test_a_new_field_is_unknown(void **state)
{
	struct conn_record record;

	(void)state;
	put_head();
	fields_add(&out, TAG_NEW, "grants", 6, NULL, 0);
	assert_int_equal(read_out(&record), CONN_RECORD_UNKNOWN);
}

static void
test_an_optional_new_field_is_skipped(void **state)
{
	struct conn_record record;

	(void)state;
	put_head();
	put_rooms();
	fields_add(&out, TAG_OPTIONAL, "ease", 4, NULL, 0);
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	assert_int_equal(record.subs_count, COUNT(rooms));
}

static void
test_a_broken_record_with_a_new_field_is_broken(void **state)
{
	(void)state;
	put_head();
	fields_add(&out, TAG_NEW, "grants", 6, NULL, 0);
	out.len--;
	assert_refused();
}

static void
test_fields_in_another_order_are_refused(void **state)
{
	(void)state;
	put_rooms();
	put_head();
	assert_refused();
	buf_reset(&out);
	put_head();
	conn_record_put_item(&out, &answer);
	put_rooms();
	assert_refused();
}

static void
test_a_part_that_comes_twice_is_refused(void **state)
{
	(void)state;
	put_head();
	put_head();
	assert_refused();
	buf_reset(&out);
	put_head();
	conn_record_put_input(&out, "x", 1);
	conn_record_put_input(&out, "y", 1);
	assert_refused();
}

/* A head with one thing wrong. */
static void
assert_head_refused(const struct conn_record_head *wrong)
{
	buf_reset(&out);
	conn_record_put_head(&out, wrong);
	assert_refused();
}

static void
test_values_that_do_not_exist_are_refused(void **state)
{
	struct conn_record_head wrong;

	(void)state;
	wrong = head;
	wrong.kind = CONN_RECORD_KINDS;
	assert_head_refused(&wrong);
	wrong = head;
	wrong.form = FORMS;
	assert_head_refused(&wrong);
	wrong = head;
	wrong.overflow = OUTQ_CLOSE + 1;
	assert_head_refused(&wrong);
	wrong = head;
	wrong.flags = CONN_RECORD_FLAGS + 1;
	assert_head_refused(&wrong);
	wrong = head;
	wrong.form = FORM_EVENT; /* over a WebSocket */
	assert_head_refused(&wrong);
	wrong.form = FORM_TEXT_DEFLATED; /* and that was not agreed on */
	assert_head_refused(&wrong);
	wrong.form = FORM_EVENT;
	wrong.kind = CONN_RECORD_EVENTS; /* without a subscription */
	assert_head_refused(&wrong);
}

static void
test_a_flag_of_a_subscription_that_is_not_known_is_refused(void **state)
{
	struct conn_record_sub sub = rooms[0];

	(void)state;
	sub.flags = CONN_RECORD_SUB_FLAGS + 1;
	put_head();
	conn_record_put_sub(&out, &sub);
	assert_refused();
}

static void
test_names_that_are_no_topics_are_refused(void **state)
{
	static const char *const names[] = { "a\nb", "\xc3" };
	struct conn_record_sub sub = rooms[0];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		sub.name = names[i];
		sub.name_len = (uint8_t)strlen(names[i]);
		buf_reset(&out);
		put_head();
		conn_record_put_sub(&out, &sub);
		assert_refused();
	}
}

/* An item behind two subscriptions, with one thing wrong. */
static void
assert_item_refused(const struct conn_record_item *wrong)
{
	buf_reset(&out);
	put_head();
	put_rooms();
	conn_record_put_item(&out, wrong);
	assert_refused();
}

static void
test_items_that_a_queue_cannot_hold_are_refused(void **state)
{
	struct conn_record_item wrong;

	(void)state;
	wrong = answer;
	wrong.len = 0;
	assert_item_refused(&wrong);
	wrong = answer;
	wrong.kind = CONN_RECORD_ITEM_KINDS;
	assert_item_refused(&wrong);
	wrong = message;
	wrong.sub = COUNT(rooms);
	assert_item_refused(&wrong);
	wrong = message;
	wrong.seq = 0;
	assert_item_refused(&wrong);
	wrong = gap;
	wrong.sub = CONN_RECORD_NO_SUB;
	assert_item_refused(&wrong);
	wrong = gap;
	wrong.at.digits = 5; /* of 20 bytes: 15 are left */
	assert_item_refused(&wrong);
	wrong = gap;
	wrong.at.digits = UINT32_MAX;
	assert_item_refused(&wrong);
	wrong = gap;
	wrong.at.line = 3; /* 17 are left, and 18 needed */
	assert_item_refused(&wrong);
	wrong = gap;
	wrong.seq = UINT64_C(10000000000000000); /* 17 digits */
	assert_item_refused(&wrong);
}

static void
test_a_message_of_a_topic_that_was_left_is_taken(void **state)
{
	struct conn_record record;
	struct conn_record_item left = message;

	(void)state;
	left.sub = CONN_RECORD_NO_SUB;
	put_head();
	conn_record_put_item(&out, &left);
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	assert_same_item(&record, &left);
}

/* A record of one item, of which so many bytes are sent. */
static void
put_begun(const struct conn_record_item *item, uint32_t begun)
{
	buf_reset(&out);
	put_head();
	put_rooms();
	if (item != NULL)
		conn_record_put_item(&out, item);
	conn_record_put_begun(&out, begun);
}

static void
test_only_an_answer_can_be_half_sent(void **state)
{
	struct conn_record record;

	(void)state;
	put_begun(&answer, answer.len - 1);
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	put_begun(&answer, answer.len);
	assert_refused();
	put_begun(&answer, 0);
	assert_refused();
	put_begun(&message, 1);
	assert_refused();
	put_begun(NULL, 1);
	assert_refused();
}

static void
test_whose_a_proxied_connection_is_comes_back(void **state)
{
	struct conn_record_proxied proxied = { .tells = 1, .is_told = 1 };
	struct conn_record record;

	(void)state;
	assert_true(ip_parse(&proxied.peer, "10.0.0.1", 8));
	assert_true(ip_parse(&proxied.client, "192.0.2.7", 9));
	put_head();
	assert_true(conn_record_put_proxied(&out, &proxied));
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	assert_true(record.is_proxied);
	assert_true(ip_equal(&record.proxied.peer, &proxied.peer));
	assert_true(ip_equal(&record.proxied.client, &proxied.client));
	proxied.is_told = 2;
	buf_reset(&out);
	put_head();
	conn_record_put_proxied(&out, &proxied);
	assert_refused();
}

static void
test_who_somebody_is_comes_back(void **state)
{
	struct conn_record_identity identity = { .number = 77, .is_warned = 1 };
	struct conn_record record;

	(void)state;
	put_head();
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	assert_int_equal(record.identity.number, 0);
	assert_true(conn_record_put_identity(&out, &identity));
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	assert_int_equal(record.identity.number, 77);
	assert_int_equal(record.identity.is_warned, 1);
	conn_record_put_identity(&out, &identity);
	assert_refused(); /* nobody is two */
}

static void
test_identities_that_nobody_can_have_are_refused(void **state)
{
	static const struct conn_record_identity wrong[] = {
		{ .number = 0 },
		{ .number = 1, .is_warned = 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		buf_reset(&out);
		put_head();
		conn_record_put_identity(&out, &wrong[i]);
		assert_refused();
	}
}

static void
test_one_that_closes_has_no_subscriptions(void **state)
{
	struct conn_record_head closing = head;
	struct conn_record record;

	(void)state;
	closing.kind = CONN_RECORD_CLOSING;
	closing.flags = CONN_RECORD_UPGRADED | CONN_RECORD_EOF;
	assert_true(conn_record_put_head(&out, &closing));
	assert_true(conn_record_put_item(&out, &answer));
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	buf_reset(&out);
	conn_record_put_head(&out, &closing);
	put_rooms();
	assert_refused();
}

static const struct conn_record_pattern patterns[] = {
	{ .text = "room/+/chat", .len = 11, .from = 4711 },
	{ .text = "#", .len = 1, .flags = CONN_RECORD_NO_ECHO },
};

static void
test_patterns_come_back(void **state)
{
	struct conn_record record;
	struct conn_record_pattern got;

	(void)state;
	put_head();
	for (size_t i = 0; i < COUNT(patterns); i++)
		conn_record_put_pattern(&out, &patterns[i]);
	assert_int_equal(read_out(&record), CONN_RECORD_OK);
	assert_int_equal(record.patterns_count, COUNT(patterns));
	for (size_t i = 0; i < COUNT(patterns); i++) {
		assert_true(conn_record_next_pattern(&record, &got));
		assert_int_equal(got.len, patterns[i].len);
		assert_memory_equal(got.text, patterns[i].text, got.len);
		assert_int_equal(got.flags, patterns[i].flags);
		assert_int_equal(got.from, patterns[i].from);
	}
	assert_false(conn_record_next_pattern(&record, &got));
}

/* A pattern with one thing wrong. */
static void
assert_pattern_refused(const struct conn_record_pattern *wrong)
{
	buf_reset(&out);
	put_head();
	conn_record_put_pattern(&out, wrong);
	assert_refused();
}

static void
test_what_is_no_pattern_is_refused(void **state)
{
	struct conn_record_pattern wrong = patterns[0];
	struct conn_record_head closing = head;

	(void)state;
	wrong.flags = CONN_RECORD_SUB_FLAGS + 1;
	assert_pattern_refused(&wrong);
	wrong = patterns[0];
	wrong.len = 0;
	assert_pattern_refused(&wrong);
	wrong.text = "#/a";
	wrong.len = 3;
	assert_pattern_refused(&wrong);
	wrong.text = "a\nb";
	assert_pattern_refused(&wrong);
	buf_reset(&out);
	closing.kind = CONN_RECORD_CLOSING;
	conn_record_put_head(&out, &closing);
	conn_record_put_pattern(&out, &patterns[0]);
	assert_refused();
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, out_setup, out_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_all_parts_come_back),
	TEST(test_an_idle_connection_is_its_head),
	TEST(test_every_cut_but_one_between_fields_is_refused),
	TEST(test_a_new_field_is_unknown),
	TEST(test_an_optional_new_field_is_skipped),
	TEST(test_a_broken_record_with_a_new_field_is_broken),
	TEST(test_fields_in_another_order_are_refused),
	TEST(test_a_part_that_comes_twice_is_refused),
	TEST(test_values_that_do_not_exist_are_refused),
	TEST(test_a_flag_of_a_subscription_that_is_not_known_is_refused),
	TEST(test_names_that_are_no_topics_are_refused),
	TEST(test_items_that_a_queue_cannot_hold_are_refused),
	TEST(test_a_message_of_a_topic_that_was_left_is_taken),
	TEST(test_only_an_answer_can_be_half_sent),
	TEST(test_whose_a_proxied_connection_is_comes_back),
	TEST(test_who_somebody_is_comes_back),
	TEST(test_identities_that_nobody_can_have_are_refused),
	TEST(test_one_that_closes_has_no_subscriptions),
	TEST(test_patterns_come_back),
	TEST(test_what_is_no_pattern_is_refused),
};

SUITE_MAIN(tests);
