/* SPDX-License-Identifier: MIT */
/*
 * access_rules.h - what an operator has said about who may what.
 *
 *	options, key files --> texts --> access_rules_new() --> rules
 *
 * The supervisor reads the files and hands the texts to the workers, which may
 * open none.  Both make the rules of them by this module, so what the supervisor
 * has judged good is good for every worker.  Pure: opens nothing.
 */

#ifndef COMMON_ACCESS_RULES_H
#define COMMON_ACCESS_RULES_H

#include "common/api_keys.h"
#include "common/grants.h"
#include "common/jwk_set.h"
#include "common/jwt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a text is. */
enum access_kind {
	ACCESS_JWT_KEY = 0, /* a key file */
	ACCESS_API_KEYS,    /* likewise, of api_keys.h */
	ACCESS_ADMIN_KEY,   /* likewise: one key, white space around it */
	ACCESS_JWT_ISS,     /* --jwt-iss, and so on */
	ACCESS_JWT_AUD,
	ACCESS_JWT_LEEWAY, /* decimal milliseconds, as all times here */
	ACCESS_JWT_COOKIE,
	ACCESS_JWT_QUERY, /* "1": it is said; likewise: */
	ACCESS_JWT_STRICT_ROTATION,
	ACCESS_AUTH_TIMEOUT,
	ACCESS_ANONYMOUS,
	ACCESS_GRANT,
	ACCESS_KINDS
};

#define ACCESS_TEXTS_MAX   256u
#define ACCESS_TEXTS_BYTES (8u << 20) /* of all of them together */

#define ACCESS_ADMIN_KEY_MIN 16u /* bytes */
#define ACCESS_ADMIN_KEY_MAX 1024u

struct access_text {
	enum access_kind kind;
	size_t len;
	char *at; /* owned; not NUL-terminated */
};

struct access_texts {
	size_t count;
	size_t bytes;
	struct access_text text[ACCESS_TEXTS_MAX];
};

struct access_rules {
	bool guard; /* else everybody may everything */
	bool has_admin_key;
	uint8_t admin_key[SHA256_LEN]; /* SHA-256 of it */
	struct jwk_set keys;
	struct api_keys api_keys;
	struct jwt_policy policy;
	const char *cookie;   /* that may hold a token; NULL: none */
	bool takes_query;     /* which may hold one */
	bool strict_rotation; /* a token lasts no longer than its key */
	uint32_t auth_timeout_s;
	struct grants anonymous; /* of everybody */
	struct grants general;   /* of all who are known, with GRANTS_SUB */
	char *copy;              /* owned: what policy and cookie point into */
};

/* What is wrong with which text. */
struct access_fault {
	size_t text;           /* index */
	unsigned line;         /* of a file, from 1; 0: it has none */
	char why[JWK_WHY_MAX]; /* without anything of a secret */
};

/* Add a copy of a text; all zero is no texts.  Returns false if that would be
 * too many, or too much.  Owns: the caller, access_texts_wipe(). */
bool access_texts_add(struct access_texts *texts, enum access_kind kind,
    const char *at, size_t len);

/* Overwrite all texts, and free them. */
void access_texts_wipe(struct access_texts *texts);

/*
 * Make rules of texts.
 * Returns: NULL with *fault filled in if one of them is wrong.
 * Owns:    the caller, access_rules_free(), which wipes secrets.
 */
struct access_rules *access_rules_new(
    const struct access_texts *texts, struct access_fault *fault);

/* Free them; NULL is none. */
void access_rules_free(struct access_rules *rules);

#endif
