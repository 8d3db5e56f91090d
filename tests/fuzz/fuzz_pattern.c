/* SPDX-License-Identifier: MIT */
/*
 * fuzz_pattern.c - patterns of topics: read, compared, and in a trie.
 *
 * The input is lines.  The first bytes of a line say what is done with the rest:
 * "+" adds it as a pattern, "-" takes that away again, all else is a name, which
 * the trie must match as the one matcher does.
 */

#include "common/pattern.h"
#include "tests/fuzz/fuzz.h"
#include "worker/delivery/pattern_trie.h"

#define KNOWN_MAX 64u

struct known {
	char *text;
	size_t len;
	unsigned found;
};

struct knowns {
	struct pattern_trie trie;
	struct known of[KNOWN_MAX];
	unsigned count;
};

static struct known *
find(struct knowns *all, const char *text, size_t len)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->of[i].len == len &&
		    memcmp(all->of[i].text, text, len) == 0)
			return &all->of[i];
	return NULL;
}

static void
add(struct knowns *all, const char *text, size_t len)
{
	struct pattern_node *node;

	if (all->count == KNOWN_MAX)
		return;
	node = pattern_trie_add(&all->trie, text, len);
	CHECK((node->value != NULL) == (find(all, text, len) != NULL));
	if (node->value != NULL)
		return;
	node->value = &all->of[all->count];
	all->of[all->count++] =
	    (struct known){ .text = fuzz_copy(text, len), .len = len };
}

/* The last one takes its place. */
static void
take_away(struct knowns *all, const char *text, size_t len)
{
	struct known *known = find(all, text, len), *last;
	struct pattern_node *node = pattern_trie_find(&all->trie, text, len);

	CHECK((node != NULL) == (known != NULL));
	if (known == NULL)
		return;
	pattern_trie_remove(&all->trie, node);
	free(known->text);
	last = &all->of[--all->count];
	if (last == known)
		return;
	*known = *last;
	pattern_trie_find(&all->trie, known->text, known->len)->value = known;
}

static void
found(void *context, void *value)
{
	(void)context;
	((struct known *)value)->found++;
}

/* Whatever covers a pattern that matches, matches. */
static void
check_covers(const struct knowns *all, const char *name, size_t len)
{
	for (unsigned i = 0; i < all->count; i++)
		for (unsigned k = 0; k < all->count; k++)
			if (pattern_covers(all->of[i].text, all->of[i].len,
				all->of[k].text, all->of[k].len))
				CHECK(!pattern_matches(all->of[k].text,
					  all->of[k].len, name, len) ||
				      pattern_matches(all->of[i].text,
					  all->of[i].len, name, len));
}

static void
look_up(struct knowns *all, const char *name, size_t len)
{
	for (unsigned i = 0; i < all->count; i++)
		all->of[i].found = 0;
	pattern_trie_match(&all->trie, name, len, found, NULL);
	for (unsigned i = 0; i < all->count; i++)
		CHECK(all->of[i].found == pattern_matches(all->of[i].text,
					      all->of[i].len, name, len));
	check_covers(all, name, len);
}

static void
try_line(struct knowns *all, const char *data, size_t len)
{
	char *line = fuzz_copy(data, len);
	const char *why = NULL;

	if (len > 0 && (line[0] == '+' || line[0] == '-')) {
		if (!pattern_valid(line + 1, len - 1, &why))
			CHECK(why != NULL && *why != '\0');
		else if (line[0] == '+')
			add(all, line + 1, len - 1);
		else
			take_away(all, line + 1, len - 1);
	} else {
		look_up(all, line, len);
	}
	free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct siphash_key hash_key = { { 1, 2 } };
	const char *at = (const char *)data, *end = at + size;
	struct knowns all = { .count = 0 };

	pattern_trie_init(&all.trie, &hash_key);
	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((line != NULL ? line : end) - at);

		try_line(&all, at, len);
		at += len + 1;
	}
	while (all.count > 0)
		take_away(&all, all.of[0].text, all.of[0].len);
	CHECK(all.trie.bytes == 0 && all.trie.nodes == NULL);
	pattern_trie_fini(&all.trie);
	return 0;
}
