/* SPDX-License-Identifier: MIT */
/*
 * jwt_make.h - a token, from what it is to say.
 *
 *	claims + key  ->  bytes
 *
 * Pure, as the verifier is (jwt.h); a token that the verifier would refuse even
 * with the right key is not made.
 */

#ifndef COMMON_JWT_MAKE_H
#define COMMON_JWT_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct jwt_signer;

/* What a token is to say.  All text is UTF-8. */
struct jwt_wish {
	const char *alg; /* NULL: what the key is for */
	const char *kid; /* NULL: that of the key, if it has one */
	const char *sub; /* NULL: none; likewise: */
	const char *iss;
	const char *info;   /* JSON */
	const char *grants; /* the object "pubsubd", JSON */
	const char *const *aud;
	size_t aud_count;
	uint64_t now_s; /* seconds since 1970 */
	uint64_t exp_s;
};

/*
 * Append a token to out.  The text in it is a secret of who will bear it.
 * Returns: false with *why a static sentence, and out as it was.
 */
bool jwt_make(const struct jwt_signer *signer, const struct jwt_wish *wish,
    struct buf *out, const char **why);

#endif
