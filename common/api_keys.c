/* SPDX-License-Identifier: MIT */
/* api_keys.c - see api_keys.h. */

#include "common/api_keys.h"

#include "common/xmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece of a line. */
struct word {
	const char *at;
	size_t len;
};

static bool
word_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Take the next word off a line.  Returns false at its end. */
static bool
word_next(struct word *line, struct word *word)
{
	while (line->len > 0 && word_is_space(*line->at)) {
		line->at++;
		line->len--;
	}
	*word = (struct word){ line->at, 0 };
	while (line->len > 0 && !word_is_space(*line->at)) {
		line->at++;
		line->len--;
		word->len++;
	}
	return word->len > 0;
}

/* The value of a hexadecimal digit, or -1. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
api_key_digest(const struct word *word, uint8_t digest[SHA256_LEN])
{
	if (word->len != 2 * (size_t)SHA256_LEN)
		return false;
	for (size_t i = 0; i < SHA256_LEN; i++) {
		int high = hex_value(word->at[2 * i]);
		int low = hex_value(word->at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high * 16 + low);
	}
	return true;
}

/* Whether no key before the last has its name or its digest. */
static bool
api_key_is_new(const struct api_keys *keys)
{
	const struct api_key *last = &keys->at[keys->count - 1];

	for (const struct api_key *key = keys->at; key < last; key++)
		if ((key->name_len == last->name_len &&
			memcmp(key->name, last->name, key->name_len) == 0) ||
		    sha256_equal(key->digest, last->digest))
			return false;
	return true;
}

/* Read a line with something in it.  Returns NULL, or what is wrong with it. */
static const char *
api_keys_add_line(
    struct api_keys *keys, const struct word *name, struct word *line)
{
	struct api_key *key;
	struct word word;
	const char *why;

	if (keys->count == API_KEYS_MAX)
		return "more than 1024 keys";
	if (name->len > API_KEY_NAME_MAX)
		return "the name has more than 64 bytes";
	keys->at = xreallocarray(keys->at, keys->count + 1, sizeof(*key));
	key = &keys->at[keys->count++];
	memset(key, 0, sizeof(*key));
	key->name_len = (uint8_t)name->len;
	memcpy(key->name, name->at, name->len);
	if (!word_next(line, &word) || !api_key_digest(&word, key->digest))
		return "behind the name comes a SHA-256 in hexadecimal";
	if (!api_key_is_new(keys))
		return "another line has this name, or this key";
	while (word_next(line, &word))
		if (!grants_add_text(
			&key->grants, word.at, word.len, false, &why))
			return why;
	return key->grants.count > 0 ? NULL : "there is no grant";
}

bool
api_keys_add(struct api_keys *keys, const char *text, size_t len,
    struct jwk_fault *fault)
{
	const char *end = text + len, *wrong = NULL;

	for (unsigned n = 1; text < end && wrong == NULL; n++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		struct word line, name;

		if (newline == NULL)
			newline = end;
		line = (struct word){ text, (size_t)(newline - text) };
		text = newline + 1;
		if (!word_next(&line, &name) || name.at[0] == '#')
			continue;
		wrong = api_keys_add_line(keys, &name, &line);
		fault->line = n;
	}
	if (wrong != NULL)
		snprintf(fault->why, sizeof(fault->why), "%s", wrong);
	return wrong == NULL;
}

void
api_keys_fini(struct api_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		grants_fini(&keys->at[i].grants);
	free(keys->at);
	memset(keys, 0, sizeof(*keys));
}

const struct api_key *
api_keys_find(const struct api_keys *keys, const uint8_t digest[SHA256_LEN])
{
	const struct api_key *found = NULL;

	for (size_t i = 0; i < keys->count; i++)
		if (sha256_equal(keys->at[i].digest, digest))
			found = &keys->at[i];
	return found;
}
