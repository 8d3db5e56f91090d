/* SPDX-License-Identifier: MIT */
/* access_rules.c - see access_rules.h. */

#include "common/access_rules.h"

#include "common/xmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
access_texts_add(struct access_texts *texts, enum access_kind kind,
    const char *at, size_t len)
{
	struct access_text *text = &texts->text[texts->count];

	if (texts->count == ACCESS_TEXTS_MAX ||
	    len > ACCESS_TEXTS_BYTES - texts->bytes)
		return false;
	text->kind = kind;
	text->len = len;
	text->at = xmalloc(len + 1);
	memcpy(text->at, at, len);
	texts->bytes += len;
	texts->count++;
	return true;
}

void
access_texts_wipe(struct access_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		explicit_bzero(texts->text[i].at, texts->text[i].len);
		free(texts->text[i].at);
	}
	texts->count = texts->bytes = 0;
}

/* Rules in the making. */
struct rules_source {
	struct access_rules *rules;
	char *end; /* of what is used of rules->copy */
	struct access_fault *fault;
};

static bool
rules_fail(struct rules_source *source, const char *why)
{
	source->fault->line = 0;
	snprintf(source->fault->why, sizeof(source->fault->why), "%s", why);
	return false;
}

static bool
rules_fail_in_line(struct rules_source *source, const struct jwk_fault *fault)
{
	source->fault->line = fault->line;
	memcpy(source->fault->why, fault->why, sizeof(fault->why));
	return false;
}

/* Keep a copy of a text, with a NUL. */
static const char *
rules_keep(struct rules_source *source, const struct access_text *text)
{
	char *copy = source->end;

	memcpy(copy, text->at, text->len);
	copy[text->len] = '\0';
	source->end += text->len + 1;
	return copy;
}

/* Whole seconds of a text of milliseconds. */
static uint32_t
rules_seconds(struct rules_source *source, const struct access_text *text)
{
	return (uint32_t)(strtoul(rules_keep(source, text), NULL, 10) / 1000);
}

static bool
rules_add_key(struct rules_source *source, const struct access_text *text)
{
	struct jwk_fault fault;

	if (jwk_set_add(&source->rules->keys, text->at, text->len, &fault))
		return true;
	return rules_fail_in_line(source, &fault);
}

static bool
rules_add_api_keys(struct rules_source *source, const struct access_text *text)
{
	struct jwk_fault fault;

	return api_keys_add(
		   &source->rules->api_keys, text->at, text->len, &fault) ||
	       rules_fail_in_line(source, &fault);
}

/* The bytes of a file but for the white space around them. */
static bool
rules_add_admin_key(struct rules_source *source, const struct access_text *text)
{
	const char *at = text->at;
	size_t len = text->len;

	while (len > 0 && strchr(" \t\r\n", at[len - 1]) != NULL)
		len--;
	while (len > 0 && strchr(" \t\r\n", *at) != NULL) {
		at++;
		len--;
	}
	if (len < ACCESS_ADMIN_KEY_MIN)
		return rules_fail(source, "a key has 16 bytes or more");
	sha256(at, len, source->rules->admin_key);
	source->rules->has_admin_key = true;
	return true;
}

static bool
rules_add_aud(struct rules_source *source, const struct access_text *text)
{
	struct jwt_policy *policy = &source->rules->policy;

	if (policy->aud_count == JWT_AUD_MAX)
		return rules_fail(source, "is one too many: 8 are allowed");
	policy->aud[policy->aud_count++] = rules_keep(source, text);
	return true;
}

static bool
rules_add_grant(struct rules_source *source, struct grants *grants,
    const struct access_text *text, bool has_sub)
{
	const char *why;

	return grants_add_text(grants, text->at, text->len, has_sub, &why) ||
	       rules_fail(source, why);
}

static bool
rules_add(struct rules_source *source, const struct access_text *text)
{
	struct access_rules *rules = source->rules;

	rules->guard |= text->kind == ACCESS_JWT_KEY ||
	                text->kind == ACCESS_API_KEYS ||
	                text->kind == ACCESS_ANONYMOUS;
	switch (text->kind) {
	case ACCESS_API_KEYS:
		return rules_add_api_keys(source, text);
	case ACCESS_ADMIN_KEY:
		return rules_add_admin_key(source, text);
	case ACCESS_JWT_KEY:
		return rules_add_key(source, text);
	case ACCESS_JWT_ISS:
		rules->policy.iss = rules_keep(source, text);
		return true;
	case ACCESS_JWT_AUD:
		return rules_add_aud(source, text);
	case ACCESS_JWT_LEEWAY:
		rules->policy.leeway_s = rules_seconds(source, text);
		return true;
	case ACCESS_JWT_COOKIE:
		rules->cookie = rules_keep(source, text);
		return true;
	case ACCESS_JWT_QUERY:
		rules->takes_query = true;
		return true;
	case ACCESS_JWT_STRICT_ROTATION:
		rules->strict_rotation = true;
		return true;
	case ACCESS_AUTH_TIMEOUT:
		rules->auth_timeout_s = rules_seconds(source, text);
		return true;
	case ACCESS_ANONYMOUS:
		return rules_add_grant(source, &rules->anonymous, text, false);
	case ACCESS_GRANT:
		return rules_add_grant(source, &rules->general, text, true);
	case ACCESS_KINDS:
		break;
	}
	return rules_fail(source, "is of no kind");
}

struct access_rules *
access_rules_new(const struct access_texts *texts, struct access_fault *fault)
{
	struct rules_source source = { .fault = fault };

	source.rules = xcalloc(1, sizeof(*source.rules));
	jwk_set_init(&source.rules->keys);
	source.rules->copy = source.end =
	    xmalloc(texts->bytes + texts->count + 1);
	for (size_t i = 0; i < texts->count; i++) {
		fault->text = i;
		if (rules_add(&source, &texts->text[i]))
			continue;
		access_rules_free(source.rules);
		return NULL;
	}
	return source.rules;
}

void
access_rules_free(struct access_rules *rules)
{
	if (rules == NULL)
		return;
	jwk_set_fini(&rules->keys);
	api_keys_fini(&rules->api_keys);
	grants_fini(&rules->anonymous);
	grants_fini(&rules->general);
	free(rules->copy);
	free(rules);
}
