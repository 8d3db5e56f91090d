/* SPDX-License-Identifier: MIT */
/* conn_record.c - see conn_record.h. */

#include "worker/handover/conn_record.h"

#include "broker/shared/layout.h"
#include "worker/delivery/form.h"
#include "worker/requests/topic_name.h"

#include <string.h>

enum {
	TAG_HEAD = 1,
	TAG_PROTOCOL,
	TAG_INPUT,
	TAG_SUB,
	TAG_ITEM,
	TAG_BEGUN,
	TAG_PROXIED,
};

/* In front of a subscription's name. */
struct sub_head {
	uint64_t told;
	uint32_t no_echo; /* 0 or 1 */
	uint32_t zero;
};

/* In front of an item's bytes. */
struct item_head {
	uint64_t seq;
	uint32_t kind;
	uint32_t sub;
	uint32_t digits, line; /* struct outq_gap_places */
};

_Static_assert(sizeof(struct conn_record_head) == 32, "has no padding");
_Static_assert(sizeof(struct sub_head) == 16, "has no padding");
_Static_assert(sizeof(struct item_head) == 24, "has no padding");
_Static_assert(sizeof(struct conn_record_proxied) == 36, "has no padding");

/* The largest number that a gap has the digits for. */
#define GAP_SEQ_MAX UINT64_C(9999999999999999)

bool
conn_record_put_head(struct buf *out, const struct conn_record_head *head)
{
	return fields_add(out, TAG_HEAD, head, sizeof(*head), NULL, 0);
}

bool
conn_record_put_protocol(struct buf *out, const char *name)
{
	return fields_add(out, TAG_PROTOCOL, name, strlen(name), NULL, 0);
}

bool
conn_record_put_input(struct buf *out, const void *data, size_t len)
{
	return fields_add(out, TAG_INPUT, data, len, NULL, 0);
}

bool
conn_record_put_sub(struct buf *out, const struct conn_record_sub *sub)
{
	struct sub_head head = { .told = sub->told, .no_echo = sub->no_echo };

	return fields_add(
	    out, TAG_SUB, &head, sizeof(head), sub->name, sub->name_len);
}

bool
conn_record_put_item(struct buf *out, const struct conn_record_item *item)
{
	struct item_head head = {
		.seq = item->seq,
		.kind = item->kind,
		.sub = item->sub,
		.digits = item->at.digits,
		.line = item->at.line,
	};

	return fields_add(
	    out, TAG_ITEM, &head, sizeof(head), item->data, item->len);
}

bool
conn_record_put_begun(struct buf *out, uint32_t begun)
{
	return fields_add(out, TAG_BEGUN, &begun, sizeof(begun), NULL, 0);
}

bool
conn_record_put_proxied(
    struct buf *out, const struct conn_record_proxied *proxied)
{
	return fields_add(out, TAG_PROXIED, proxied, sizeof(*proxied), NULL, 0);
}

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
	if (head.no_echo > 1 || head.zero != 0 ||
	    !topic_name_valid(sub->name, len, &why))
		return false;
	sub->name_len = (uint8_t)len;
	sub->no_echo = head.no_echo == 1;
	sub->told = head.told;
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
record_read_head(struct conn_record *record, const struct field *field)
{
	struct conn_record_head *head = &record->head;

	if (field->len != sizeof(*head))
		return false;
	memcpy(head, field->at, sizeof(*head));
	return head->kind < CONN_RECORD_KINDS && head->form < FORMS &&
	       head->overflow <= OUTQ_CLOSE &&
	       (head->flags & ~(unsigned)CONN_RECORD_FLAGS) == 0;
}

static bool
record_read_protocol(struct conn_record *record, const struct field *field)
{
	record->protocol = (const char *)field->at;
	record->protocol_len = field->len;
	return record->head.kind == CONN_RECORD_WEBSOCKET && field->len > 0 &&
	       field->len <= CONN_RECORD_PROTOCOL_MAX &&
	       memchr(field->at, '\0', field->len) == NULL;
}

static bool
record_read_input(struct conn_record *record, const struct field *field)
{
	record->input = field->at;
	record->input_len = field->len;
	return field->len > 0;
}

/* `from' is where the field's own place began. */
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
record_read_begun(struct conn_record *record, const struct field *field)
{
	struct conn_record first = *record;
	struct conn_record_item item;

	if (field->len != sizeof(record->begun))
		return false;
	memcpy(&record->begun, field->at, sizeof(record->begun));
	return conn_record_next_item(&first, &item) &&
	       item.kind == CONN_RECORD_ANSWER && record->begun > 0 &&
	       record->begun < item.len;
}

static bool
record_read_proxied(struct conn_record *record, const struct field *field)
{
	struct conn_record_proxied *proxied = &record->proxied;

	if (field->len != sizeof(*proxied))
		return false;
	memcpy(proxied, field->at, sizeof(*proxied));
	record->is_proxied = true;
	return proxied->tells <= 1 && proxied->is_told <= 1;
}

/* One field of those that there are once at most, or a sub, or an item. */
static enum conn_record_status
record_read_field(struct conn_record *record, const struct field *field,
    const struct fields *from)
{
	bool ok = false;

	/* The tags do not decrease, so the one before is the same. */
	if (field->tag == from->tag && field->tag != TAG_SUB &&
	    field->tag != TAG_ITEM && field->tag <= TAG_PROXIED)
		return CONN_RECORD_BROKEN;
	if (from->tag == 0 && field->tag != TAG_HEAD)
		return CONN_RECORD_BROKEN;
	if (field->tag == TAG_HEAD)
		ok = record_read_head(record, field);
	else if (field->tag == TAG_PROTOCOL)
		ok = record_read_protocol(record, field);
	else if (field->tag == TAG_INPUT)
		ok = record_read_input(record, field);
	else if (field->tag == TAG_SUB)
		ok = record_read_sub(record, field, from);
	else if (field->tag == TAG_ITEM)
		ok = record_read_item(record, field, from);
	else if (field->tag == TAG_BEGUN)
		ok = record_read_begun(record, field);
	else if (field->tag == TAG_PROXIED)
		ok = record_read_proxied(record, field);
	else if (field->tag & FIELD_OPTIONAL)
		ok = true;
	else
		return CONN_RECORD_UNKNOWN;
	return ok ? CONN_RECORD_OK : CONN_RECORD_BROKEN;
}

/* Whether a connection of its kind can have this form, and so many
 * subscriptions. */
static bool
record_is_whole(const struct conn_record *record)
{
	uint8_t form = record->head.form;

	switch ((enum conn_record_kind)record->head.kind) {
	case CONN_RECORD_HTTP:
	case CONN_RECORD_CLOSING:
		return record->subs_count == 0;
	case CONN_RECORD_WEBSOCKET:
		return form == FORM_TEXT || form == FORM_ENVELOPE;
	case CONN_RECORD_EVENTS:
		return record->subs_count == 1 &&
		       (form == FORM_EVENT || form == FORM_CHUNK);
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
