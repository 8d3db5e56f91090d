/* SPDX-License-Identifier: MIT */
/* fields.c - see fields.h. */

#include "worker/handover/fields.h"

#include "common/bug.h"

#include <string.h>

struct field_head {
	uint16_t tag;
	uint16_t zero;
	uint32_t len;
};

_Static_assert(sizeof(struct field_head) == FIELD_HEAD, "has no padding");

bool
fields_add(struct buf *out, uint32_t tag, const void *first, size_t first_len,
    const void *second, size_t second_len)
{
	struct field_head head = { .tag = (uint16_t)tag };

	CHECK(tag > 0 && tag <= UINT16_MAX);
	if (first_len > UINT32_MAX || second_len > UINT32_MAX - first_len)
		return false;
	head.len = (uint32_t)(first_len + second_len);
	buf_add(out, &head, sizeof(head));
	if (first_len > 0)
		buf_add(out, first, first_len);
	if (second_len > 0)
		buf_add(out, second, second_len);
	return true;
}

void
fields_begin(struct fields *fields, const void *data, size_t len)
{
	*fields = (struct fields){ .at = data, .left = len };
}

enum fields_status
fields_next(struct fields *fields, struct field *field)
{
	struct field_head head;

	if (fields->left == 0)
		return FIELDS_END;
	if (fields->left < sizeof(head))
		return FIELDS_BROKEN;
	memcpy(&head, fields->at, sizeof(head));
	if (head.tag == 0 || head.tag < fields->tag || head.zero != 0 ||
	    head.len > fields->left - sizeof(head))
		return FIELDS_BROKEN;
	field->tag = head.tag;
	field->len = head.len;
	field->at = fields->at + sizeof(head);
	fields->tag = head.tag;
	fields->at = field->at + head.len;
	fields->left -= sizeof(head) + head.len;
	return FIELDS_OK;
}
