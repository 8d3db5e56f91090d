/* SPDX-License-Identifier: MIT */
/* jwk_use.c - see jwk_use.h. */

#include "common/jwk_use.h"

#include "common/jwk.h"

/* Whether the array of names has this one.  Sets *good to false if it holds
 * anything but strings. */
static bool
jwk_use_lists(const struct json_token *ops, const char *operation, bool *good)
{
	struct json_reader reader;
	struct json_token op;
	bool found = false;

	json_reader_init(&reader);
	if (json_array_open(&reader, ops->raw, ops->raw_len) == JSON_OK)
		while (json_element_next(&reader, &op)) {
			*good = *good && op.kind == JSON_STRING;
			found = found || jose_string_is(&op, operation);
		}
	json_reader_fini(&reader);
	return found;
}

bool
jwk_use_narrow(
    const struct jose_object *jwk, const char *operation, unsigned *algs)
{
	const struct json_token *alg = jose_object_find(jwk, "alg");
	const struct json_token *use = jose_object_find(jwk, "use");
	const struct json_token *ops = jose_object_find(jwk, "key_ops");
	char name[32];
	size_t len;
	bool good = true;

	if ((alg != NULL && alg->kind != JSON_STRING) ||
	    (use != NULL && use->kind != JSON_STRING) ||
	    (ops != NULL && ops->kind != JSON_ARRAY))
		return false;
	if (alg != NULL)
		*algs &= jose_string(alg, name, sizeof(name), &len)
		             ? jwk_alg_named(name, len)
		             : 0;
	if (use != NULL && !jose_string_is(use, "sig"))
		*algs = 0;
	if (ops != NULL && !jwk_use_lists(ops, operation, &good))
		*algs = 0;
	return good;
}
