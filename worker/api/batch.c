/* SPDX-License-Identifier: MIT */
/* batch.c - see batch.h. */

#include "worker/api/batch.h"

#include "common/bug.h"
#include "common/config.h"
#include "common/json.h"
#include "common/utf8.h"
#include "common/xmalloc.h"
#include "worker/api/batch_item.h"
#include "worker/api/publish.h"
#include "worker/api/publish_options.h"
#include "worker/api/query.h"
#include "worker/api/reply.h"
#include "worker/http/body.h"
#include "worker/http/reply.h"
#include "worker/net/rate.h"
#include "worker/requests/caller.h"
#include "worker/requests/intake.h"
#include "worker/requests/topic_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The request's job. */
struct batch {
	bool keep_alive; /* when the body has been read */
	uint32_t count;
	uint32_t pending;         /* items that the intake has not answered */
	uint32_t next;            /* the first of them, or an error before it */
	struct batch_item *items; /* owned */
};

static struct batch *
batch_of(const struct conn *c)
{
	return api_request_of(c)->job;
}

static void
batch_free(struct conn *c, void *job)
{
	struct batch *batch = job;

	(void)c;
	free(batch->items);
	free(batch);
}

/* All items have their outcome: answer the request. */
static void
batch_reply(struct conn *c)
{
	const struct batch *batch = batch_of(c);
	struct buf *text = api_text(c);

	buf_printf(text, "{\"epoch\":\"%s\",\"results\":[",
	    hub_of(c)->seg->header->epoch);
	for (uint32_t i = 0; i < batch->count; i++) {
		buf_puts(text, i > 0 ? "," : "");
		batch_item_put(text, &batch->items[i]);
	}
	buf_puts(text, "]}");
	api_reply(c, 200);
}

/* For intake_request.answer: the answers come in the order of the items. */
static void
batch_answer(struct hub *hub, const struct intake_op *op)
{
	struct batch *batch = batch_of(op->conn);

	while (batch->items[batch->next].failure.code != NULL)
		batch->next++; /* this one was not asked of the intake */
	batch_item_note(hub, &batch->items[batch->next++], op);
	if (--batch->pending == 0)
		batch_reply(op->conn);
}

/* The members of an item; raw == NULL: not there. */
struct batch_members {
	struct json_token topic, message, ephemeral, ttl, key, retain;
};

/* Take the members of an item that mean something; of a repeated one the last
 * counts. */
static void
batch_members(struct json_reader *reader, const struct json_token *object,
    struct batch_members *m)
{
	struct json_token key, value;

	memset(m, 0, sizeof(*m));
	if (json_object_open(reader, object->raw, object->raw_len) != JSON_OK)
		return;
	while (json_member_next(reader, &key, &value)) {
		if (json_string_equal(key.raw, key.raw_len, "topic"))
			m->topic = value;
		else if (json_string_equal(key.raw, key.raw_len, "message"))
			m->message = value;
		else if (json_string_equal(key.raw, key.raw_len, "ephemeral"))
			m->ephemeral = value;
		else if (json_string_equal(key.raw, key.raw_len, "ttl"))
			m->ttl = value;
		else if (json_string_equal(key.raw, key.raw_len, "key"))
			m->key = value;
		else if (json_string_equal(key.raw, key.raw_len, "retain"))
			m->retain = value;
	}
}

/* Decode the name of a topic.  Returns NULL, or why it is none. */
static const char *
batch_name(const struct json_token *topic, struct api_name *name)
{
	char room[JSON_ENCODED_MAX(LAYOUT_TOPIC_NAME_MAX)];
	const char *why;
	size_t len;

	if (topic->raw_len > sizeof(room))
		return "the topic is longer than 255 bytes";
	len = json_string_decode(topic->raw, topic->raw_len, room);
	if (len == 0)
		return "a topic by HTTP has a name";
	if (!topic_name_valid(room, len, &why))
		return why;
	name->len = (uint8_t)len;
	memcpy(name->at, room, len);
	return NULL;
}

/* Whether the message can be one; otherwise the item has its error. */
static bool
batch_check_message(const struct conn *c, const struct json_token *message,
    struct batch_item *item)
{
	if (message->raw_len > c->net->config->max_message)
		batch_item_fail(
		    item, "too_large", "the message is longer than is allowed");
	else if (!json_within_depth(
		     message->raw, message->raw_len, CONFIG_MESSAGE_DEPTH))
		batch_item_fail(
		    item, "bad_json", "arrays and objects are nested too deep");
	return item->failure.code == NULL;
}

/* Have one item published, or note what is wrong with it. */
static void
batch_add(struct conn *c, struct json_reader *reader,
    const struct json_token *object, struct batch_item *item)
{
	struct intake_request want = { .kind = INTAKE_PUBLISH,
		.answer = batch_answer,
		.wants_count = true };
	struct publish_options options;
	struct batch_members m;
	struct api_name name;
	const char *why;

	batch_members(reader, object, &m);
	if (m.topic.raw == NULL || m.topic.kind != JSON_STRING ||
	    m.message.raw == NULL) {
		batch_item_fail(item, "bad_request",
		    "an item is an object with a topic and a message");
		return;
	}
	if (m.ephemeral.raw != NULL && m.ephemeral.kind != JSON_TRUE &&
	    m.ephemeral.kind != JSON_FALSE) {
		batch_item_fail(
		    item, "bad_request", "ephemeral: true or false");
		return;
	}
	why = batch_name(&m.topic, &name);
	if (why != NULL) {
		batch_item_fail(item, "bad_topic", why);
		return;
	}
	want.is_ephemeral = m.ephemeral.kind == JSON_TRUE;
	why = publish_options_take(&m.ttl, &m.key, &m.retain, &options, &want);
	if (why != NULL) {
		batch_item_fail(item, "bad_request", why);
		return;
	}
	if (!batch_check_message(c, &m.message, item))
		return;
	want.topic = name.at;
	want.topic_len = name.len;
	want.body_len = (uint32_t)m.message.raw_len;
	json_normalise(m.message.raw, m.message.raw_len, intake_add(c, &want));
	batch_of(c)->pending++;
}

/* Count the elements of a checked text; -1: it is no array. */
static int64_t
batch_count(struct json_reader *list, const struct buf *bytes)
{
	struct json_token element;
	int64_t count = 0;

	if (json_array_open(list, bytes->at, bytes->len) != JSON_OK)
		return -1;
	while (json_element_next(list, &element))
		count++;
	return count;
}

/* Have all items published.  The list is counted. */
static void
batch_add_all(struct conn *c, struct json_reader *list, const struct buf *bytes,
    uint32_t count)
{
	struct batch *batch = batch_of(c);
	struct json_token element;
	struct json_reader reader;

	batch->count = count;
	batch->items = xcalloc(count + 1, sizeof(*batch->items));
	json_reader_init(&reader);
	json_array_open(list, bytes->at, bytes->len);
	for (uint32_t i = 0; json_element_next(list, &element); i++) {
		batch_add(c, &reader, &element, &batch->items[i]);
		if (batch->items[i].failure.code != NULL)
			stats_add(&c->net->stats, STATS_REFUSED_REQUEST, 1);
	}
	json_reader_fini(&reader);
	rate_count_messages(c, count);
	if (batch->pending > 0)
		conn_pause(c, PAUSE_INTAKE);
	else
		batch_reply(c);
}

/* The text is one JSON value of any depth: messages are looked at one by one. */
static void
batch_take(struct conn *c, const struct buf *bytes)
{
	struct json_reader list;
	int64_t count;

	json_reader_init(&list);
	count = batch_count(&list, bytes);
	if (count < 0)
		api_refuse(c, 400, "bad_request", "the body is no JSON array");
	else if (count > BATCH_ITEMS_MAX)
		api_refuse(
		    c, 413, "too_large", "at most 1000 messages at once");
	else
		batch_add_all(c, &list, bytes, (uint32_t)count);
	json_reader_fini(&list);
}

/* The whole body is there. */
static void
batch_done(struct conn *c, struct buf *bytes)
{
	char reason[160];
	const char *why;
	size_t where;

	api_request_of(c)->keep_alive = batch_of(c)->keep_alive;
	if (!utf8_valid(bytes->at, bytes->len)) {
		api_refuse(c, 400, "bad_json", "the JSON is not UTF-8");
	} else if (json_check_depth(bytes->at, bytes->len, JSON_DEPTH_ANY,
		       &where, &why) != JSON_OK) {
		snprintf(reason, sizeof(reason), "bad JSON at byte %zu: %s",
		    where, why);
		api_refuse(c, 400, "bad_json", reason);
	} else {
		batch_take(c, bytes);
	}
	buf_fini(bytes);
}

static uint64_t
batch_bytes_max(const struct conn *c)
{
	uint64_t one =
	    (uint64_t)c->net->config->max_message + CONFIG_ENVELOPE_SLACK;

	return one > BATCH_BYTES_MAX ? one : BATCH_BYTES_MAX;
}

static void
batch_too_large(struct conn *c)
{
	char reason[64];

	snprintf(reason, sizeof(reason),
	    "the body has at most %" PRIu64 " bytes", batch_bytes_max(c));
	api_refuse(c, 413, "too_large", reason);
}

static const struct http_body_user batch_body = {
	.next = &api_handler,
	.done = batch_done,
	.refused = api_refuse,
	.too_large = batch_too_large,
	.go_away = api_go_away,
	.end = api_forget,
};

void
batch_begin(struct conn *c, const struct http_request *req)
{
	struct api_request *r = api_request_of(c);
	struct batch *batch;

	if (!publish_takes_body(c, req))
		return;
	batch = xcalloc(1, sizeof(*batch));
	batch->keep_alive = http_reply_keeps_alive(c, req);
	r->job = batch;
	r->free_job = batch_free;
	http_body_begin(c, req, batch_bytes_max(c), &batch_body);
}
