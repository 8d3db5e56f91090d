/* SPDX-License-Identifier: MIT */
/* jose_object.c - see jose_object.h. */

#include "common/jose_object.h"

#include "common/utf8.h"

#include <string.h>

/* Longest string that is ever asked for, bytes as it is written. */
#define JOSE_RAW_MAX 8192u

/* Whether no other member has this name. */
static bool
jose_is_new(const struct jose_object *object, const struct jose_member *added)
{
	for (size_t i = 0; i < object->count; i++) {
		const struct jose_member *member = &object->members[i];

		if (member->name_len == added->name_len &&
		    memcmp(member->name, added->name, added->name_len) == 0)
			return false;
	}
	return true;
}

static bool
jose_object_add(struct jose_object *object, const struct json_token *key,
    const struct json_token *value)
{
	struct jose_member *member = &object->members[object->count];

	if (object->count == JOSE_MEMBERS_MAX ||
	    object->names_len + key->raw_len > JOSE_NAMES_MAX)
		return false;
	member->name = object->names + object->names_len;
	member->name_len = json_string_decode(
	    key->raw, key->raw_len, object->names + object->names_len);
	member->value = *value;
	object->names_len += member->name_len;
	if (!jose_is_new(object, member))
		return false;
	object->count++;
	return true;
}

bool
jose_object_read(struct jose_object *object, const char *text, size_t len)
{
	struct json_reader reader;
	struct json_token key, value;
	const char *why;
	size_t where;
	bool good;

	object->count = object->names_len = 0;
	if (!utf8_valid(text, len))
		return false;
	json_reader_init(&reader);
	good = json_object_read(&reader, text, len, &where, &why) == JSON_OK;
	while (good && json_member_next(&reader, &key, &value))
		good = jose_object_add(object, &key, &value);
	json_reader_fini(&reader);
	return good;
}

const struct json_token *
jose_object_find(const struct jose_object *object, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < object->count; i++) {
		const struct jose_member *member = &object->members[i];

		if (member->name_len == len &&
		    memcmp(member->name, name, len) == 0)
			return &member->value;
	}
	return NULL;
}

/* Whether a string has half a surrogate pair: only then is it changed by being
 * normalised. */
static bool
jose_is_whole(const struct json_token *value)
{
	char normal[JOSE_RAW_MAX];

	json_normalise(value->raw, value->raw_len, normal);
	return memcmp(normal, value->raw, value->raw_len) == 0;
}

bool
jose_string(
    const struct json_token *value, char *out, size_t max, size_t *out_len)
{
	char text[JOSE_RAW_MAX];

	if (value->kind != JSON_STRING || value->raw_len > sizeof(text) ||
	    !jose_is_whole(value))
		return false;
	*out_len = json_string_decode(value->raw, value->raw_len, text);
	if (*out_len > max || memchr(text, '\0', *out_len) != NULL)
		return false;
	memcpy(out, text, *out_len);
	return true;
}

bool
jose_string_is(const struct json_token *value, const char *wanted)
{
	return value->kind == JSON_STRING &&
	       json_string_equal(value->raw, value->raw_len, wanted);
}
