/* SPDX-License-Identifier: MIT */
/* pattern_trie.c - see pattern_trie.h. */

#include "worker/delivery/pattern_trie.h"

#include "common/pattern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A key on the stack, for a look-up. */
union pattern_key_room {
	struct pattern_key key;
	char bytes[sizeof(struct pattern_key) + PATTERN_MAX];
};

void
pattern_trie_init(struct pattern_trie *trie, const struct siphash_key *hash_key)
{
	memset(trie, 0, sizeof(*trie));
	trie->hash_key = *hash_key;
	trie->root = xcalloc(1, sizeof(*trie->root));
}

void
pattern_trie_fini(struct pattern_trie *trie)
{
	struct pattern_node *node, *next;

	HASH_ITER(hh, trie->nodes, node, next) {
		HASH_DELETE(hh, trie->nodes, node);
		free(node);
	}
	free(trie->root);
	trie->root = NULL;
	trie->bytes = 0;
}

static unsigned
pattern_trie_hash(
    const struct pattern_trie *trie, const struct pattern_key *key, size_t len)
{
	return (unsigned)siphash(&trie->hash_key, key, len);
}

static size_t
pattern_trie_node_size(uint32_t key_len)
{
	return offsetof(struct pattern_node, key) + key_len;
}

/* The child of a node for a level, or NULL; len is at most PATTERN_MAX. */
static struct pattern_node *
pattern_trie_child(const struct pattern_trie *trie,
    const struct pattern_node *above, const char *level, size_t len)
{
	size_t key_len = sizeof(struct pattern_key) + len;
	struct pattern_node *node;
	union pattern_key_room room;
	unsigned hash;

	room.key.above = above->number;
	memcpy(room.key.level, level, len);
	hash = pattern_trie_hash(trie, &room.key, key_len);
	HASH_FIND_BYHASHVALUE(hh, trie->nodes, &room.key, key_len, hash, node);
	return node;
}

static struct pattern_node *
pattern_trie_make(struct pattern_trie *trie, struct pattern_node *above,
    const char *level, size_t len)
{
	uint32_t key_len = (uint32_t)(sizeof(struct pattern_key) + len);
	size_t size = pattern_trie_node_size(key_len);
	struct pattern_node *node =
	    xcalloc(1, size > sizeof(*node) ? size : sizeof(*node));

	node->above = above;
	node->number = ++trie->made;
	node->key_len = key_len;
	node->key.above = above->number;
	memcpy(node->key.level, level, len);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, trie->nodes, &node->key, key_len,
	    pattern_trie_hash(trie, &node->key, key_len), node);
	above->children++;
	if (pattern_level_is(level, len, '+'))
		above->any = node;
	else if (pattern_level_is(level, len, '#'))
		above->rest = node;
	trie->bytes += size;
	return node;
}

/* The node where a pattern ends, whether or not it has a value. */
static struct pattern_node *
pattern_trie_walk(
    struct pattern_trie *trie, const char *pattern, size_t len, bool makes)
{
	struct pattern_node *node = trie->root, *above;

	for (;;) {
		size_t level = pattern_level(pattern, len);

		above = node;
		node = pattern_trie_child(trie, above, pattern, level);
		if (node == NULL && makes)
			node = pattern_trie_make(trie, above, pattern, level);
		if (node == NULL || level == len)
			return node;
		pattern += level + 1;
		len -= level + 1;
	}
}

struct pattern_node *
pattern_trie_find(struct pattern_trie *trie, const char *pattern, size_t len)
{
	struct pattern_node *node =
	    pattern_trie_walk(trie, pattern, len, false);

	return node != NULL && node->value != NULL ? node : NULL;
}

struct pattern_node *
pattern_trie_add(struct pattern_trie *trie, const char *pattern, size_t len)
{
	return pattern_trie_walk(trie, pattern, len, true);
}

/* Take a node out of the trie. */
static void
pattern_trie_free(struct pattern_trie *trie, struct pattern_node *node)
{
	struct pattern_node *above = node->above;

	if (above->any == node)
		above->any = NULL;
	if (above->rest == node)
		above->rest = NULL;
	above->children--;
	trie->bytes -= pattern_trie_node_size(node->key_len);
	HASH_DELETE(hh, trie->nodes, node);
	free(node);
}

void
pattern_trie_remove(struct pattern_trie *trie, struct pattern_node *node)
{
	node->value = NULL;
	while (
	    node->above != NULL && node->value == NULL && node->children == 0) {
		struct pattern_node *above = node->above;

		pattern_trie_free(trie, node);
		node = above;
	}
}

/* A look-up as it goes on. */
struct pattern_search {
	const struct pattern_trie *trie;
	void (*found)(void *context, void *value);
	void *context;
	size_t visited;
};

static void
pattern_search_found(
    struct pattern_search *search, const struct pattern_node *node)
{
	if (node->value != NULL)
		search->found(search->context, node->value);
}

/*
 * The levels down to this node have matched; name is what is behind them, NULL:
 * nothing.  It calls itself for "+" only and goes on in the loop for the level
 * itself, so it is as deep as a pattern has "+", 128 times at most.
 */
static void
pattern_search_below(struct pattern_search *search,
    const struct pattern_node *node, const char *name, size_t len)
{
	for (;;) {
		const char *behind = NULL;
		size_t level, behind_len = 0;

		search->visited++;
		if (node->rest != NULL)
			pattern_search_found(search, node->rest);
		if (name == NULL) {
			pattern_search_found(search, node);
			return;
		}
		level = pattern_level(name, len);
		if (level < len) {
			behind = name + level + 1;
			behind_len = len - level - 1;
		}
		if (node->any != NULL)
			pattern_search_below(
			    search, node->any, behind, behind_len);
		/* In a name, these are no wildcards, and nothing but a wildcard
		 * matches them. */
		if (pattern_level_is(name, level, '+') ||
		    pattern_level_is(name, level, '#'))
			return;
		node = pattern_trie_child(search->trie, node, name, level);
		if (node == NULL)
			return;
		name = behind;
		len = behind_len;
	}
}

size_t
pattern_trie_match(const struct pattern_trie *trie, const char *name,
    size_t len, void (*found)(void *context, void *value), void *context)
{
	struct pattern_search search = {
		.trie = trie, .found = found, .context = context
	};

	pattern_search_below(&search, trie->root, name, len);
	return search.visited;
}
