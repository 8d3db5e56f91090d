/* SPDX-License-Identifier: MIT */
/* hub_record.c - see hub_record.h. */

#include "worker/handover/hub_record.h"

#include "worker/handover/conn_record.h"

#include <string.h>

enum {
	TAG_TOPIC = 1,
	TAG_CONN,
	TAG_IDENTITY,
};

/* In front of a topic's name. */
struct topic_head {
	uint64_t seq;
	uint64_t pos;
	uint32_t slot;
	uint32_t zero;
};

_Static_assert(sizeof(struct topic_head) == 24, "has no padding");
_Static_assert(sizeof(struct hub_hello) == 40, "has no padding");

void
hub_hello_put(struct buf *out, const struct hub_hello *hello)
{
	buf_add(out, hello, sizeof(*hello));
}

bool
hub_hello_take(struct hub_hello *hello, const struct buf *body)
{
	if (body->len != sizeof(*hello))
		return false;
	memcpy(hello, body->at, sizeof(*hello));
	return hello->version == CONN_RECORD_VERSION &&
	       memchr(hello->epoch, '\0', sizeof(hello->epoch)) != NULL;
}

bool
hub_topic_put(struct buf *out, const struct adopt_topic *topic)
{
	const struct topic_head head = {
		.seq = topic->seq,
		.pos = topic->pos,
		.slot = topic->slot,
	};

	return fields_add(
	    out, TAG_TOPIC, &head, sizeof(head), topic->name, topic->name_len);
}

enum fields_status
hub_topic_next(struct fields *topics, struct adopt_topic *topic)
{
	enum fields_status status;
	struct topic_head head;
	struct field field;

	status = fields_next(topics, &field);
	if (status != FIELDS_OK)
		return status;
	if (field.tag != TAG_TOPIC || field.len < sizeof(head) ||
	    field.len - sizeof(head) > LAYOUT_TOPIC_NAME_MAX)
		return FIELDS_BROKEN;
	memcpy(&head, field.at, sizeof(head));
	*topic = (struct adopt_topic){
		.name = (const char *)field.at + sizeof(head),
		.name_len = (uint8_t)(field.len - sizeof(head)),
		.slot = head.slot,
		.seq = head.seq,
		.pos = head.pos,
	};
	return FIELDS_OK;
}

static enum fields_status
hub_record_next(struct fields *records, uint32_t tag, struct field *record)
{
	enum fields_status status = fields_next(records, record);

	return status == FIELDS_OK && record->tag != tag ? FIELDS_BROKEN
	                                                 : status;
}

bool
hub_conn_put(struct buf *out, const struct buf *record)
{
	return fields_add(out, TAG_CONN, record->at, record->len, NULL, 0);
}

enum fields_status
hub_conn_next(struct fields *conns, struct field *record)
{
	return hub_record_next(conns, TAG_CONN, record);
}

bool
hub_identity_put(struct buf *out, const struct buf *record)
{
	return fields_add(out, TAG_IDENTITY, record->at, record->len, NULL, 0);
}

enum fields_status
hub_identity_next(struct fields *identities, struct field *record)
{
	return hub_record_next(identities, TAG_IDENTITY, record);
}
