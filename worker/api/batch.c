/* SPDX-License-Identifier: MIT */
/* batch.c - see batch.h. */

#include "worker/api/batch.h"

#include "common/bug.h"
#include "common/config.h"
#include "common/json.h"
#include "common/utf8.h"
#include "common/xmalloc.h"
#include "worker/api/publish.h"
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

/* How one message went, or will go: until the intake has answered, count is
 * not known. */
struct batch_item {
	const char *code; /* of an error, or NULL */
	const char *reason;
	uint64_t seq;
	uint64_t subscribers;
};

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

static void
batch_put_item(struct buf *text, const struct batch_item *item)
{
	if (item->code == NULL) {
		buf_printf(text,
		    "{\"seq\":%" PRIu64 ",\"subscribers\":%" PRIu64 "}",
		    item->seq, item->subscribers);
		return;
	}
	buf_printf(text, "{\"error\":{\"code\":\"%s\",\"reason\":\"%s\"}}",
	    item->code, item->reason);
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
		batch_put_item(text, &batch->items[i]);
	}
	buf_puts(text, "]}");
	api_reply(c, 200);
}

static void
batch_fail(struct batch_item *item, const char *code, const char *reason)
{
	item->code = code;
	item->reason = reason;
}

/* Note how a message went: as api_answer_failure() says it of one alone. */
static void
batch_note(struct batch_item *item, const struct intake_op *op)
{
	switch (op->result) {
	case INTAKE_DONE:
		item->seq = op->start.seq;
		item->subscribers = op->count;
		return;
	case INTAKE_DIRECTORY_FULL:
		batch_fail(
		    item, "directory_full", "all topics have subscribers");
		return;
	case INTAKE_DRAINING:
		batch_fail(item, "draining", "the server is going away");
		return;
	case INTAKE_FORBIDDEN:
		if (caller_is_known(op->conn))
			batch_fail(item, "forbidden",
			    "there is no grant to publish this");
		else
			batch_fail(item, "unauthorized",
			    "this needs a token that grants it");
		return;
	case INTAKE_NO_TOPIC:
	case INTAKE_TOO_MANY:
	case INTAKE_HOLDS_TOO_MANY:
	case INTAKE_NOT_SUBSCRIBED:
	case INTAKE_RESUBSCRIBED:
	case INTAKE_LATER:
		break;
	}
	BUG("no publish ends like this");
}

/* For intake_request.answer: the answers come in the order of the items. */
static void
batch_answer(struct hub *hub, const struct intake_op *op)
{
	struct batch *batch = batch_of(op->conn);

	(void)hub;
	while (batch->items[batch->next].code != NULL)
		batch->next++; /* this one was not asked of the intake */
	batch_note(&batch->items[batch->next++], op);
	if (--batch->pending == 0)
		batch_reply(op->conn);
}

/* Take the members of an item that mean something; of a repeated one the last
 * counts. */
static void
batch_members(struct json_reader *reader, const struct json_token *object,
    struct json_token *topic, struct json_token *message)
{
	struct json_token key, value;

	*topic = *message = (struct json_token){ 0 };
	if (json_object_open(reader, object->raw, object->raw_len) != JSON_OK)
		return;
	while (json_member_next(reader, &key, &value)) {
		if (json_string_equal(key.raw, key.raw_len, "topic"))
			*topic = value;
		else if (json_string_equal(key.raw, key.raw_len, "message"))
			*message = value;
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
		batch_fail(
		    item, "too_large", "the message is longer than is allowed");
	else if (!json_within_depth(
		     message->raw, message->raw_len, CONFIG_MESSAGE_DEPTH))
		batch_fail(
		    item, "bad_json", "arrays and objects are nested too deep");
	return item->code == NULL;
}

/* Have one item published, or note what is wrong with it. */
static void
batch_add(struct conn *c, struct json_reader *reader,
    const struct json_token *object, struct batch_item *item)
{
	struct intake_request want = { .kind = INTAKE_PUBLISH,
		.answer = batch_answer,
		.wants_count = true };
	struct json_token topic, message;
	struct api_name name;
	const char *why;

	batch_members(reader, object, &topic, &message);
	if (topic.raw == NULL || topic.kind != JSON_STRING ||
	    message.raw == NULL) {
		batch_fail(item, "bad_request",
		    "an item is an object with a topic and a message");
		return;
	}
	why = batch_name(&topic, &name);
	if (why != NULL) {
		batch_fail(item, "bad_topic", why);
		return;
	}
	if (!batch_check_message(c, &message, item))
		return;
	want.topic = name.at;
	want.topic_len = name.len;
	want.body_len = (uint32_t)message.raw_len;
	json_normalise(message.raw, message.raw_len, intake_add(c, &want));
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
		if (batch->items[i].code != NULL)
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
