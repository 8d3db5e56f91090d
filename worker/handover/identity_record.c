/* SPDX-License-Identifier: MIT */
/* identity_record.c - see identity_record.h. */

#include "worker/handover/identity_record.h"

#include "common/json.h"
#include "worker/handover/fields.h"

#include <string.h>

enum {
	TAG_HEAD = 1,
	TAG_DIGEST,
	TAG_SUB,
	TAG_GRANTS,
	TAG_INFO,
	TAG_KEY,
};

enum identity_record_flag {
	IDENTITY_RECORD_KEY = 1 << 0,
	IDENTITY_RECORD_GUEST = 1 << 1,
	IDENTITY_RECORD_STRANGER = 1 << 2,
};

struct identity_head {
	uint64_t expires_s;
	uint64_t until_s;
	uint32_t number;
	uint32_t flags; /* one of these at most */
};

_Static_assert(sizeof(struct identity_head) == 24, "has no padding");

/* What a token was verified with. */
struct identity_key {
	uint8_t thumbprint[SHA256_LEN];
	uint32_t alg;
};

_Static_assert(sizeof(struct identity_key) == 36, "has no padding");

/* A key's own grants are found by its digest, in the rules that hold now. */
static bool
record_put_grants(struct buf *out, const struct identity *identity)
{
	struct buf json;
	bool ok;

	if (identity->own.count == 0 || identity->is_key)
		return true;
	buf_init(&json);
	grants_put_object(&identity->own, &json);
	ok = fields_add(out, TAG_GRANTS, json.at, json.len, NULL, 0);
	buf_fini(&json);
	return ok;
}

static bool
record_put_key(struct buf *out, const struct identity *identity)
{
	struct identity_key key = { .alg = identity->alg };

	if (identity->alg == 0)
		return true;
	memcpy(key.thumbprint, identity->key, SHA256_LEN);
	return fields_add(out, TAG_KEY, &key, sizeof(key), NULL, 0);
}

bool
identity_record_put(struct buf *out, const struct identity *identity)
{
	const struct identity_head head = {
		.expires_s = identity->expires_s,
		.until_s = identity->until_s,
		.number = identity->number,
		.flags = (identity->is_key ? IDENTITY_RECORD_KEY : 0) |
		         (identity->is_guest ? IDENTITY_RECORD_GUEST : 0) |
		         (identity->is_stranger ? IDENTITY_RECORD_STRANGER : 0),
	};

	return fields_add(out, TAG_HEAD, &head, sizeof(head), NULL, 0) &&
	       fields_add(
		   out, TAG_DIGEST, identity->digest, SHA256_LEN, NULL, 0) &&
	       (identity->sub_len == 0 ||
		   fields_add(out, TAG_SUB, identity->sub, identity->sub_len,
		       NULL, 0)) &&
	       record_put_grants(out, identity) &&
	       (identity->info == NULL ||
		   fields_add(out, TAG_INFO, identity->info, identity->info_len,
		       NULL, 0)) &&
	       record_put_key(out, identity);
}

static bool
record_read_head(struct access_known *known, const struct field *field)
{
	struct identity_head head;

	if (field->len != sizeof(head))
		return false;
	memcpy(&head, field->at, sizeof(head));
	known->number = head.number;
	known->expires_s = head.expires_s;
	known->until_s = head.until_s;
	known->is_key = head.flags == IDENTITY_RECORD_KEY;
	known->is_guest = head.flags == IDENTITY_RECORD_GUEST;
	known->is_stranger = head.flags == IDENTITY_RECORD_STRANGER;
	return head.flags == 0 || known->is_key || known->is_guest ||
	       known->is_stranger;
}

static bool
record_read_digest(struct access_known *known, const struct field *field)
{
	if (field->len != SHA256_LEN)
		return false;
	memcpy(known->digest, field->at, SHA256_LEN);
	return true;
}

static bool
record_read_sub(struct access_known *known, const struct field *field)
{
	if (field->len == 0 || field->len > JWT_SUB_MAX)
		return false;
	known->sub = (const char *)field->at;
	known->sub_len = (uint8_t)field->len;
	return true;
}

static bool
record_read_grants(struct access_known *known, const struct field *field)
{
	known->grants = (const char *)field->at;
	known->grants_len = field->len;
	return field->len > 0;
}

static bool
record_read_info(struct access_known *known, const struct field *field)
{
	const char *why;
	size_t where;

	known->info = (const char *)field->at;
	known->info_len = field->len;
	return field->len <= JWT_INFO_MAX &&
	       json_check_depth(known->info, known->info_len, JWT_INFO_DEPTH,
		   &where, &why) == JSON_OK;
}

static bool
record_read_key(struct access_known *known, const struct field *field)
{
	struct identity_key key;

	if (field->len != sizeof(key))
		return false;
	memcpy(&key, field->at, sizeof(key));
	memcpy(known->key, key.thumbprint, SHA256_LEN);
	known->alg = key.alg;
	return key.alg != 0 && !known->is_key && !known->is_guest &&
	       !known->is_stranger;
}

static bool
record_read_field(struct access_known *known, const struct field *field)
{
	switch (field->tag) {
	case TAG_HEAD:
		return record_read_head(known, field);
	case TAG_DIGEST:
		return record_read_digest(known, field);
	case TAG_SUB:
		return record_read_sub(known, field);
	case TAG_GRANTS:
		return record_read_grants(known, field);
	case TAG_INFO:
		return record_read_info(known, field);
	case TAG_KEY:
		return record_read_key(known, field);
	default:
		return (field->tag & FIELD_OPTIONAL) != 0;
	}
}

bool
identity_record_read(struct access_known *known, const void *data, size_t len)
{
	enum fields_status status;
	struct fields fields;
	struct field field;
	uint32_t before = 0;

	memset(known, 0, sizeof(*known));
	fields_begin(&fields, data, len);
	while ((status = fields_next(&fields, &field)) == FIELDS_OK) {
		/* The two that are always there come first, and each once. */
		if (field.tag == before ||
		    (before < TAG_DIGEST && field.tag != before + 1) ||
		    !record_read_field(known, &field))
			return false;
		before = field.tag;
	}
	return status == FIELDS_END && before >= TAG_DIGEST;
}
