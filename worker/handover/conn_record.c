/* SPDX-License-Identifier: MIT */
/* conn_record.c - see conn_record.h. */

#include "worker/delivery/pace.h"
#include "worker/handover/conn_record.h"

#include "broker/shared/layout.h"
#include "common/pattern.h"
#include "worker/access/identities.h"
#include "worker/delivery/form.h"
#include "worker/handover/conn_record_tags.h"
#include "worker/requests/topic_name.h"

#include <string.h>

/* The largest number that a gap has the digits for. */
#define GAP_SEQ_MAX UINT64_C(9999999999999999)

/* Take a subscription out of its field.  Returns false if it is none. */
static bool
record_take_sub(const struct field *field, struct conn_record_sub *sub)
{
	struct sub_head head;
	const char *why;
	size_t len;

	if (field->len < sizeof(head))
		return false;
	memcpy(&head, field->at, sizeof(head));
	sub->name = (const char *)field->at + sizeof(head);
	len = field->len - sizeof(head);
	if ((head.flags & ~(unsigned)CONN_RECORD_SUB_FLAGS) != 0 ||
	    (head.ahead != 0 && (head.flags & CONN_RECORD_WATCHES) == 0) ||
	    head.every_ms > PACE_MAX_MS || head.wait_ms > head.every_ms ||
	    !topic_name_valid(sub->name, len, &why))
		return false;
	sub->name_len = (uint8_t)len;
	sub->flags = (uint8_t)head.flags;
	sub->ahead = head.ahead;
	sub->told = head.told;
	sub->every_ms = head.every_ms;
	sub->wait_ms = head.wait_ms;
	return true;
}

/* The same for a pattern. */
static bool
record_take_pattern(
    const struct field *field, struct conn_record_pattern *pattern)
{
	struct pattern_head head;
	const char *why;
	size_t len;

	if (field->len <= sizeof(head))
		return false;
	memcpy(&head, field->at, sizeof(head));
	pattern->text = (const char *)field->at + sizeof(head);
	len = field->len - sizeof(head);
	if ((head.flags & ~(unsigned)CONN_RECORD_SUB_FLAGS) != 0 ||
	    head.zero != 0 || !topic_name_valid(pattern->text, len, &why) ||
	    !pattern_valid(pattern->text, len, &why))
		return false;
	pattern->len = (uint8_t)len;
	pattern->flags = (uint8_t)head.flags;
	pattern->from = head.from;
	return true;
}

/* Whether so many bytes at this place lie within the item's. */
static bool
record_has_place(const struct conn_record_item *item, uint32_t at, uint32_t len)
{
	return item->len >= len && at <= item->len - len;
}

static bool
record_gap_is_whole(const struct conn_record_item *item)
{
	return item->sub != CONN_RECORD_NO_SUB && item->seq <= GAP_SEQ_MAX &&
	       record_has_place(item, item->at.digits, OUTQ_GAP_DIGITS) &&
	       (item->at.line == 0 ||
		   record_has_place(item, item->at.line, OUTQ_GAP_LINE));
}

/* What an item does not need is 0, so there is one way to write each. */
static bool
record_item_is_whole(const struct conn_record_item *item)
{
	bool has_places = item->at.digits != 0 || item->at.line != 0;

	switch (item->kind) {
	case CONN_RECORD_ANSWER:
		return item->sub == 0 && item->seq == 0 && !has_places;
	case CONN_RECORD_MESSAGE:
		return item->seq != 0 && !has_places;
	case CONN_RECORD_GAP:
		return record_gap_is_whole(item);
	case CONN_RECORD_ITEM_KINDS:
		break;
	}
	return false;
}

/* The same for an item. */
static bool
record_take_item(const struct field *field, struct conn_record_item *item)
{
	struct item_head head;

	if (field->len <= sizeof(head))
		return false;
	memcpy(&head, field->at, sizeof(head));
	if (head.kind >= CONN_RECORD_ITEM_KINDS)
		return false;
	*item = (struct conn_record_item){
		.kind = (enum conn_record_item_kind)head.kind,
		.sub = head.sub,
		.seq = head.seq,
		.at = { .digits = head.digits, .line = head.line },
		.len = field->len - (uint32_t)sizeof(head),
		.data = field->at + sizeof(head),
	};
	return record_item_is_whole(item);
}

static bool
record_read_head(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	struct conn_record_head *head = &record->head;

	(void)from;
	if (field->len != sizeof(*head))
		return false;
	memcpy(head, field->at, sizeof(*head));
	return head->kind < CONN_RECORD_KINDS && head->form < FORMS &&
	       head->overflow <= OUTQ_CLOSE &&
	       (head->flags & ~(unsigned)CONN_RECORD_FLAGS) == 0;
}

static bool
record_read_protocol(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	(void)from;
	record->protocol = (const char *)field->at;
	record->protocol_len = field->len;
	return record->head.kind == CONN_RECORD_WEBSOCKET && field->len > 0 &&
	       field->len <= CONN_RECORD_PROTOCOL_MAX &&
	       memchr(field->at, '\0', field->len) == NULL;
}

static bool
record_read_input(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	(void)from;
	record->input = field->at;
	record->input_len = field->len;
	return field->len > 0;
}

static bool
record_read_sub(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	struct conn_record_sub sub;

	if (record->subs_count++ == 0)
		record->subs = *from;
	return record_take_sub(field, &sub);
}

static bool
record_read_item(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	struct conn_record_item item;

	if (record->items_count++ == 0)
		record->items = *from;
	return record_take_item(field, &item) &&
	       (item.kind == CONN_RECORD_ANSWER ||
		   item.sub == CONN_RECORD_NO_SUB ||
		   item.sub < record->subs_count);
}

/* A message that was begun is an answer, because it is dropped no more. */
static bool
record_read_begun(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	struct conn_record first = *record;
	struct conn_record_item item;

	(void)from;
	if (field->len != sizeof(record->begun))
		return false;
	memcpy(&record->begun, field->at, sizeof(record->begun));
	return conn_record_next_item(&first, &item) &&
	       item.kind == CONN_RECORD_ANSWER && record->begun > 0 &&
	       record->begun < item.len;
}

static bool
record_read_proxied(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	struct conn_record_proxied *proxied = &record->proxied;

	(void)from;
	if (field->len != sizeof(*proxied))
		return false;
	memcpy(proxied, field->at, sizeof(*proxied));
	record->is_proxied = true;
	return proxied->tells <= 1 && proxied->is_told <= 1;
}

static bool
record_read_identity(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	struct conn_record_identity *identity = &record->identity;

	(void)from;
	if (field->len != sizeof(*identity))
		return false;
	memcpy(identity, field->at, sizeof(*identity));
	return identity->number != IDENTITY_NOBODY && identity->is_warned <= 1;
}

static bool
record_read_pattern(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	struct conn_record_pattern pattern;

	if (record->patterns_count++ == 0)
		record->patterns = *from;
	return record_take_pattern(field, &pattern);
}

/* Each part of a record.  `from', which read() gets, is where the field's own
 * place began. */
static const struct record_part {
	uint32_t tag;
	bool is_many; /* there may be several */
	bool (*read)(struct conn_record *record, const struct field *field,
	    const struct fields *from);
} record_parts[] = {
	{ TAG_HEAD, false, record_read_head },
	{ TAG_PROTOCOL, false, record_read_protocol },
	{ TAG_INPUT, false, record_read_input },
	{ TAG_SUB, true, record_read_sub },
	{ TAG_ITEM, true, record_read_item },
	{ TAG_BEGUN, false, record_read_begun },
	{ TAG_PROXIED, false, record_read_proxied },
	{ TAG_IDENTITY, false, record_read_identity },
	{ TAG_PATTERN, true, record_read_pattern },
};

#define RECORD_PARTS (sizeof(record_parts) / sizeof(record_parts[0]))

/* The part of a tag; NULL: of no tag that is known. */
static const struct record_part *
record_find_part(uint32_t tag)
{
	for (size_t i = 0; i < RECORD_PARTS; i++)
		if (record_parts[i].tag == tag)
			return &record_parts[i];
	return NULL;
}

/* Read one field.  The head comes first, so all others may look at it. */
static enum conn_record_status
record_read_field(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	const struct record_part *part = record_find_part(field->tag);

	if (from->tag == 0 && field->tag != TAG_HEAD)
		return CONN_RECORD_BROKEN;
	if (part == NULL)
		return (field->tag & FIELD_OPTIONAL) != 0 ? CONN_RECORD_OK
		                                          : CONN_RECORD_UNKNOWN;
	/* The tags do not decrease, so the one before is the same. */
	if (field->tag == from->tag && !part->is_many)
		return CONN_RECORD_BROKEN;
	return part->read(record, field, from) ? CONN_RECORD_OK
	                                       : CONN_RECORD_BROKEN;
}

/* A stream of events is of one topic, or of several and patterns. */
static bool
record_is_stream(const struct conn_record *record)
{
	uint8_t form = record->head.form;

	if (form == FORM_EVENT || form == FORM_CHUNK)
		return record->subs_count == 1 && record->patterns_count == 0;
	return (form == FORM_FEED || form == FORM_FEED_CHUNK) &&
	       record->subs_count + record->patterns_count > 0;
}

/* Nothing is compressed for a client that has not agreed on it. */
static bool
record_is_websocket(const struct conn_record *record)
{
	uint8_t form = record->head.form, base = form_base(form);

	return (base == FORM_TEXT || base == FORM_ENVELOPE ||
		   base == FORM_PUSH) &&
	       (form == base ||
		   (record->head.flags & CONN_RECORD_DEFLATE) != 0);
}

/* Whether a connection of its kind can have this form, and so many
 * subscriptions. */
static bool
record_is_whole(const struct conn_record *record)
{
	switch ((enum conn_record_kind)record->head.kind) {
	case CONN_RECORD_HTTP:
	case CONN_RECORD_CLOSING:
		return record->subs_count + record->patterns_count == 0;
	case CONN_RECORD_WEBSOCKET:
		return record_is_websocket(record);
	case CONN_RECORD_EVENTS:
		return record_is_stream(record);
	case CONN_RECORD_KINDS:
		break;
	}
	return false;
}

enum conn_record_status
conn_record_read(struct conn_record *record, const void *data, size_t len)
{
	enum conn_record_status status = CONN_RECORD_OK;
	enum fields_status next;
	struct fields fields, from;
	struct field field;

	memset(record, 0, sizeof(*record));
	fields_begin(&fields, data, len);
	from = fields;
	if (len == 0)
		return CONN_RECORD_BROKEN;
	while ((next = fields_next(&fields, &field)) == FIELDS_OK) {
		enum conn_record_status one =
		    record_read_field(record, &field, &from);

		if (one == CONN_RECORD_BROKEN)
			return one;
		if (one == CONN_RECORD_UNKNOWN)
			status = one;
		from = fields;
	}
	if (next == FIELDS_BROKEN || !record_is_whole(record))
		return CONN_RECORD_BROKEN;
	return status;
}

bool
conn_record_next_sub(struct conn_record *record, struct conn_record_sub *sub)
{
	struct field field;

	return fields_next(&record->subs, &field) == FIELDS_OK &&
	       field.tag == TAG_SUB && record_take_sub(&field, sub);
}

bool
conn_record_next_item(struct conn_record *record, struct conn_record_item *item)
{
	struct field field;

	return fields_next(&record->items, &field) == FIELDS_OK &&
	       field.tag == TAG_ITEM && record_take_item(&field, item);
}

bool
conn_record_next_pattern(
    struct conn_record *record, struct conn_record_pattern *pattern)
{
	struct field field;

	return fields_next(&record->patterns, &field) == FIELDS_OK &&
	       field.tag == TAG_PATTERN && record_take_pattern(&field, pattern);
}
