/* SPDX-License-Identifier: MIT */
/*
 * api_keys.h - keys of programs, which are good until they are taken out.
 *
 *	# name   SHA-256 of the key, in hexadecimal   grants
 *	cron     9f86d081884c7d659a2feaa0c55ad015…    publish:news/#
 *
 * The file has no key in it, only what one can be recognised by.
 */

#ifndef COMMON_API_KEYS_H
#define COMMON_API_KEYS_H

#include "common/grants.h"
#include "common/jwk_set.h"
#include "common/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API_KEYS_MAX     1024u
#define API_KEY_NAME_MAX 64u
#define API_KEYS_TEXT    (256u * 1024) /* bytes of a file */

struct api_key {
	uint8_t digest[SHA256_LEN];
	uint8_t name_len;
	char name[API_KEY_NAME_MAX];
	struct grants grants;
};

struct api_keys {
	struct api_key *at; /* owned */
	size_t count;
};

/*
 * Add the keys of a file.
 * Returns: true; or false with *fault filled in, and maybe some added.
 * Owns:    the caller, api_keys_fini().
 */
bool api_keys_add(struct api_keys *keys, const char *text, size_t len,
    struct jwk_fault *fault);
void api_keys_fini(struct api_keys *keys);

/* The key of this digest, or NULL; in a time that does not tell which. */
const struct api_key *api_keys_find(
    const struct api_keys *keys, const uint8_t digest[SHA256_LEN]);

#endif
