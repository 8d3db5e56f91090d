/* SPDX-License-Identifier: MIT */
/*
 * jose_object.h - a JSON object as tokens and keys need it: small, and with
 * each name once.
 *
 * RFC 7515 (section 4) and RFC 7519 (section 4) let a reader take the last of
 * repeated members.  Two programs that choose differently then see two tokens in
 * one, so repeated names are refused here, after escapes are undone.
 */

#ifndef COMMON_JOSE_OBJECT_H
#define COMMON_JOSE_OBJECT_H

#include "common/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOSE_MEMBERS_MAX 64u   /* one more is refused */
#define JOSE_NAMES_MAX   6144u /* bytes of all names together, decoded */

struct jose_member {
	const char *name; /* in names; not NUL-terminated */
	size_t name_len;
	struct json_token value; /* borrowed from the text */
};

struct jose_object {
	size_t count;
	struct jose_member members[JOSE_MEMBERS_MAX];
	size_t names_len;
	char names[JOSE_NAMES_MAX];
};

/*
 * Read all members of the object that a text is.  The text must stay as long as
 * the object is used, and is not changed.  Pure.
 * Returns: false if the text is not UTF-8, not one JSON object, holds a name
 *          twice, or is over a limit above.
 */
bool jose_object_read(struct jose_object *object, const char *text, size_t len);

/* The value of a member, or NULL. */
const struct json_token *jose_object_find(
    const struct jose_object *object, const char *name);

/*
 * Decode a string.  out has room for max bytes.  A string with half a surrogate
 * pair, or with a NUL, is refused: two of them would look alike afterwards.
 * Returns: true with *out_len set; false if the value is no such string, or is
 *          longer than max bytes.
 */
bool jose_string(
    const struct json_token *value, char *out, size_t max, size_t *out_len);

/* Whether a value is a string, and this one. */
bool jose_string_is(const struct json_token *value, const char *wanted);

#endif
