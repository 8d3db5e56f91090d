/* SPDX-License-Identifier: MIT */
/* conn_record_put.c - the parts of a record are written; see conn_record.h. */

#include "worker/handover/conn_record.h"
#include "worker/handover/conn_record_tags.h"

#include <string.h>

_Static_assert(sizeof(struct conn_record_head) == 32, "has no padding");
_Static_assert(sizeof(struct sub_head) == 24, "has no padding");
_Static_assert(sizeof(struct pattern_head) == 16, "has no padding");
_Static_assert(sizeof(struct item_head) == 24, "has no padding");
_Static_assert(sizeof(struct conn_record_proxied) == 36, "has no padding");
_Static_assert(sizeof(struct conn_record_identity) == 8, "has no padding");

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
	struct sub_head head = { .told = sub->told,
		.flags = sub->flags,
		.ahead = sub->ahead,
		.every_ms = sub->every_ms,
		.wait_ms = sub->wait_ms };

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

bool
conn_record_put_identity(
    struct buf *out, const struct conn_record_identity *identity)
{
	return fields_add(
	    out, TAG_IDENTITY, identity, sizeof(*identity), NULL, 0);
}

bool
conn_record_put_pattern(
    struct buf *out, const struct conn_record_pattern *pattern)
{
	struct pattern_head head = { .from = pattern->from,
		.flags = pattern->flags };

	return fields_add(
	    out, TAG_PATTERN, &head, sizeof(head), pattern->text, pattern->len);
}
