/* SPDX-License-Identifier: MIT */
/* jwk_set.c - see jwk_set.h. */

#include "common/jwk_set.h"

#include "common/jose_object.h"
#include "common/jwk_use.h"
#include "common/xmalloc.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JWK_PEM_BEGIN "-----BEGIN "

/* A file that is being read. */
struct jwk_source {
	const char *text;
	size_t len;
	struct jwk_set *set;
	struct jwk_fault *fault;
};

void
jwk_set_init(struct jwk_set *set)
{
	set->count = 0;
}

/* Forget the keys from this one on. */
static void
jwk_set_cut(struct jwk_set *set, size_t count)
{
	while (set->count > count)
		jwk_free(set->keys[--set->count]);
}

void
jwk_set_fini(struct jwk_set *set)
{
	jwk_set_cut(set, 0);
}

bool
jwk_set_has_secret(const struct jwk_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->keys[i]->secret != NULL)
			return true;
	return false;
}

const struct jwk *
jwk_set_find(const struct jwk_set *set, const uint8_t thumbprint[SHA256_LEN],
    unsigned alg)
{
	for (size_t i = 0; i < set->count; i++)
		if ((set->keys[i]->algs & alg) != 0 &&
		    sha256_equal(set->keys[i]->thumbprint, thumbprint))
			return set->keys[i];
	return NULL;
}

/* Say what is wrong at this place of the text.  Returns false. */
static bool
jwk_refuse(const struct jwk_source *source, const char *at, const char *why)
{
	unsigned line = 1;

	for (const char *p = source->text; p < at; p++)
		line += *p == '\n';
	source->fault->line = line;
	snprintf(source->fault->why, sizeof(source->fault->why), "%s", why);
	return false;
}

/* Whether another key has this kid. */
static bool
jwk_kid_is_taken(const struct jwk_set *set, const struct jwk *key)
{
	for (size_t i = 0; key->has_kid && i < set->count; i++) {
		const struct jwk *other = set->keys[i];

		if (other->has_kid && other->kid_len == key->kid_len &&
		    memcmp(other->kid, key->kid, key->kid_len) == 0)
			return true;
	}
	return false;
}

/* Take a key over, or free it. */
static bool
jwk_add(struct jwk_source *source, const char *at, struct jwk *key)
{
	struct jwk_set *set = source->set;
	const char *why = NULL;

	if (set->count == JWK_KEYS_MAX)
		why = "more than 64 keys";
	else if (jwk_kid_is_taken(set, key))
		why = "another key has the same kid";
	else if (!jwk_thumbprint(key, key->thumbprint))
		why = "the numbers of the key are broken";
	if (why != NULL) {
		jwk_free(key);
		return jwk_refuse(source, at, why);
	}
	set->keys[set->count++] = key;
	return true;
}

static bool
jwk_take_kid(const struct jose_object *jwk, struct jwk *key)
{
	const struct json_token *kid = jose_object_find(jwk, "kid");

	if (kid == NULL)
		return true;
	key->has_kid = true;
	return jose_string(kid, key->kid, sizeof(key->kid), &key->kid_len);
}

/* Fill a key in, whose algorithms are known.  Returns NULL, or why not. */
static const char *
jwk_fill(const struct jose_object *jwk, enum jwk_kind kind, struct jwk *key)
{
	const char *why = NULL;

	if (!jwk_take_kid(jwk, key))
		return "kid is not a string of at most 256 bytes";
	if (kind == JWK_OCT)
		key->secret = jwk_secret_make(jwk, &why);
	else
		key->public.key = jwk_public_make(jwk, kind, &why);
	return key->secret == NULL && key->public.key == NULL ? why : NULL;
}

/* Add the key that an object is, or leave it out. */
static bool
jwk_add_object(
    struct jwk_source *source, const struct jose_object *jwk, const char *at)
{
	enum jwk_kind kind = jwk_kind_of(jwk);
	const struct json_token *kty = jose_object_find(jwk, "kty");
	unsigned algs = jwk_algs_of(kind);
	struct jwk *key;
	const char *why;

	if (kty == NULL || kty->kind != JSON_STRING)
		return jwk_refuse(source, at, "a key without kty");
	if (!jwk_use_narrow(jwk, "verify", &algs))
		return jwk_refuse(
		    source, at, "alg, use or key_ops are not of their type");
	if (algs == 0)
		return true;
	key = xcalloc(1, sizeof(*key));
	key->algs = algs;
	why = jwk_fill(jwk, kind, key);
	if (why == NULL)
		return jwk_add(source, at, key);
	jwk_free(key);
	return jwk_refuse(source, at, why);
}

/* Add the keys of a JWKS. */
static bool
jwk_add_list(struct jwk_source *source, const struct json_token *keys)
{
	struct jose_object *jwk = xmalloc(sizeof(*jwk));
	struct json_reader reader;
	struct json_token value;
	bool good = true;

	json_reader_init(&reader);
	if (json_array_open(&reader, keys->raw, keys->raw_len) != JSON_OK)
		good = jwk_refuse(source, keys->raw, "keys is not an array");
	while (good && json_element_next(&reader, &value)) {
		if (jose_object_read(jwk, value.raw, value.raw_len))
			good = jwk_add_object(source, jwk, value.raw);
		else
			good = jwk_refuse(source, value.raw,
			    "not a JSON object with each member once");
	}
	json_reader_fini(&reader);
	free(jwk);
	return good;
}

static bool
jwk_add_json(struct jwk_source *source)
{
	struct jose_object *object;
	const struct json_token *keys;
	const char *why;
	size_t where;
	bool good;

	if (json_check(source->text, source->len, &where, &why) != JSON_OK)
		return jwk_refuse(source, source->text + where, why);
	object = xmalloc(sizeof(*object));
	if (!jose_object_read(object, source->text, source->len)) {
		free(object);
		return jwk_refuse(source, source->text,
		    "not a JSON object with each member once");
	}
	keys = jose_object_find(object, "keys");
	good = keys != NULL ? jwk_add_list(source, keys)
	                    : jwk_add_object(source, object, source->text);
	free(object);
	return good;
}

/* Add the public key of one PEM block. */
static bool
jwk_add_pem_block(struct jwk_source *source, const char *at, const char *name,
    const unsigned char *der, long der_len)
{
	const unsigned char *end = der;
	const char *why = "not a public key";
	enum jwk_kind kind;
	EVP_PKEY *parsed;
	struct jwk *key;

	if (strstr(name, "PRIVATE KEY") != NULL)
		return jwk_refuse(source, at,
		    "a private key: the server needs the public one only");
	if (strcmp(name, "PUBLIC KEY") != 0)
		return jwk_refuse(source, at, "PEM, but not a PUBLIC KEY");
	parsed = d2i_PUBKEY(NULL, &end, der_len);
	kind = parsed != NULL && end == der + der_len ? jwk_judge(parsed, &why)
	                                              : JWK_OTHER;
	if (kind == JWK_OTHER) {
		EVP_PKEY_free(parsed);
		return jwk_refuse(source, at, why);
	}
	key = xcalloc(1, sizeof(*key));
	key->algs = jwk_algs_of(kind);
	key->public.key = parsed;
	return jwk_add(source, at, key);
}

/* The next block's first line, from `at' on, or NULL. */
static const char *
jwk_pem_next(const struct jwk_source *source, const char *at)
{
	return memmem(at, (size_t)(source->text + source->len - at),
	    JWK_PEM_BEGIN, strlen(JWK_PEM_BEGIN));
}

static bool
jwk_add_pem(struct jwk_source *source)
{
	const char *at = jwk_pem_next(source, source->text), *next;
	const char *end = source->text + source->len;
	bool good = true;

	for (; good && at != NULL; at = next) {
		char *name = NULL, *header = NULL;
		unsigned char *der = NULL;
		long der_len;
		BIO *bio;

		next = jwk_pem_next(source, at + 1);
		bio = BIO_new_mem_buf(
		    at, (int)((next != NULL ? next : end) - at));
		if (PEM_read_bio(bio, &name, &header, &der, &der_len) == 1)
			good =
			    jwk_add_pem_block(source, at, name, der, der_len);
		else
			good = jwk_refuse(source, at, "broken PEM");
		BIO_free(bio);
		OPENSSL_free(name);
		OPENSSL_free(header);
		if (der != NULL)
			OPENSSL_clear_free(der, (size_t)der_len);
	}
	return good;
}

static bool
jwk_looks_like_json(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", text[i]) != NULL && text[i] != '\0')
		i++;
	return i < len && text[i] == '{';
}

bool
jwk_set_add(
    struct jwk_set *set, const char *text, size_t len, struct jwk_fault *fault)
{
	struct jwk_source source = { text, len, set, fault };
	size_t before = set->count;
	bool good;

	if (len > JWK_TEXT_MAX)
		good = jwk_refuse(&source, text, "longer than 256 KiB");
	else if (jwk_looks_like_json(text, len))
		good = jwk_add_json(&source);
	else
		good = jwk_add_pem(&source);
	if (good && set->count == before)
		good = jwk_refuse(
		    &source, text, "no key in it that tokens can be made with");
	if (!good)
		jwk_set_cut(set, before);
	ERR_clear_error();
	return good;
}
