/* SPDX-License-Identifier: MIT */
/*
 * fuzz_conn_record.c - a connection as another worker wrote it.
 *
 * What is taken lies within the input, its queue is one that outq.h takes, and
 * written again it is the same record.
 */

#include "broker/shared/layout.h"
#include "tests/fuzz/fuzz.h"
#include "worker/delivery/form.h"
#include "worker/handover/conn_record.h"
#include "worker/net/kept.h"

struct input {
	const char *at;
	size_t len;
};

static void
copy_subs(
    struct buf *out, struct conn_record *record, const struct input *input)
{
	struct conn_record_sub sub;
	uint32_t n = 0;

	while (conn_record_next_sub(record, &sub)) {
		CHECK(
		    fuzz_within(sub.name, sub.name_len, input->at, input->len));
		CHECK(conn_record_put_sub(out, &sub));
		n++;
	}
	CHECK(n == record->subs_count);
}

static void
copy_patterns(
    struct buf *out, struct conn_record *record, const struct input *input)
{
	struct conn_record_pattern pattern;
	uint32_t n = 0;

	while (conn_record_next_pattern(record, &pattern)) {
		CHECK(fuzz_within(
		    pattern.text, pattern.len, input->at, input->len));
		CHECK(conn_record_put_pattern(out, &pattern));
		n++;
	}
	CHECK(n == record->patterns_count);
}

/* The queue is put together as a worker does it: outq.h aborts if it cannot. */
static void
queue_item(struct outq *q, const struct conn_record_item *item)
{
	struct kept *kept;

	if (item->kind == CONN_RECORD_ANSWER) {
		outq_add_answer(q, item->data, item->len);
	} else if (item->kind == CONN_RECORD_MESSAGE) {
		kept = kept_new(item->data, item->len);
		outq_add_message(q, item->sub, item->seq, kept);
		kept_drop(&kept);
	} else {
		outq_add_gap(q, item->sub, item->seq, NULL, item->data,
		    item->len, item->at);
	}
}

static void
copy_items(
    struct buf *out, struct conn_record *record, const struct input *input)
{
	struct outq *q = outq_new(NULL);
	struct conn_record_item item;
	uint32_t n = 0;

	while (conn_record_next_item(record, &item)) {
		CHECK(fuzz_within(item.data, item.len, input->at, input->len));
		CHECK(item.kind == CONN_RECORD_ANSWER ||
		      item.sub == CONN_RECORD_NO_SUB ||
		      item.sub < record->subs_count);
		queue_item(q, &item);
		CHECK(conn_record_put_item(out, &item));
		if (n++ == 0 && record->begun > 0)
			outq_sent(q, record->begun);
	}
	CHECK(n == record->items_count);
	if (record->begun > 0)
		CHECK(n > 0 && q->begun == record->begun);
	outq_free(&q);
}

/* Write it again. */
static void
copy(struct buf *out, struct conn_record record, const struct input *input)
{
	char name[CONN_RECORD_PROTOCOL_MAX + 1] = "";

	CHECK(record.head.kind < CONN_RECORD_KINDS);
	CHECK(record.head.form < FORMS);
	CHECK(conn_record_put_head(out, &record.head));
	if (record.protocol != NULL) {
		CHECK(record.protocol_len <= CONN_RECORD_PROTOCOL_MAX);
		memcpy(name, record.protocol, record.protocol_len);
		CHECK(conn_record_put_protocol(out, name));
	}
	if (record.input != NULL) {
		CHECK(fuzz_within(
		    record.input, record.input_len, input->at, input->len));
		CHECK(
		    conn_record_put_input(out, record.input, record.input_len));
	}
	copy_subs(out, &record, input);
	copy_items(out, &record, input);
	if (record.begun > 0)
		CHECK(conn_record_put_begun(out, record.begun));
	if (record.is_proxied)
		CHECK(conn_record_put_proxied(out, &record.proxied));
	if (record.identity.number != 0)
		CHECK(conn_record_put_identity(out, &record.identity));
	copy_patterns(out, &record, input);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	struct input input = { bytes, size };
	struct conn_record record, again;
	struct buf out;

	if (conn_record_read(&record, bytes, size) == CONN_RECORD_OK) {
		buf_init(&out);
		copy(&out, record, &input);
		CHECK(conn_record_read(&again, out.at, out.len) ==
		      CONN_RECORD_OK);
		CHECK(again.subs_count == record.subs_count &&
		      again.items_count == record.items_count &&
		      again.patterns_count == record.patterns_count);
		/* Optional fields alone are left out. */
		CHECK(out.len <= size);
		CHECK(out.len < size || memcmp(out.at, bytes, size) == 0);
		buf_fini(&out);
	}
	free(bytes);
	return 0;
}
