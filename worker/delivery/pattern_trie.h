/* SPDX-License-Identifier: MIT */
/*
 * pattern_trie.h - which of many patterns a topic's name matches.
 *
 *	room/+/chat   room/#          (root)
 *	room/1/chat                      |
 *	                               room --------.
 *	                              /    \         \
 *	                             +      1         # .
 *	                             |      |
 *	                           chat .  chat .
 *
 * A node is a level of a pattern behind those above it.  The patterns are those
 * of common/pattern.h, and so is what a level is.  A look-up visits at most
 * three children of a node: the level itself, "+" and "#".  So its cost grows with
 * the levels of the name and with what matches, not with how many patterns there
 * are.
 *
 * The nodes are in one hash table, by the number of the node above and the
 * level's text.  The hash is keyed, because clients choose the levels.
 *
 * The trie knows no subscriber: what a pattern is for is its owner's.
 */

#ifndef WORKER_DELIVERY_PATTERN_TRIE_H
#define WORKER_DELIVERY_PATTERN_TRIE_H

#include "common/bug.h"
#include "common/siphash.h"
#include "common/xmalloc.h"

#include <stddef.h>
#include <stdint.h>

#define uthash_malloc(size) xmalloc(size)
#define uthash_fatal(why)   BUG(why)
#include <uthash.h>

/* What the hash table knows a node by. */
struct pattern_key {
	uint64_t above; /* number of the node above */
	char level[];   /* not NUL-terminated */
};

struct pattern_node {
	UT_hash_handle hh;
	struct pattern_node *above;      /* NULL: it is the root */
	struct pattern_node *any, *rest; /* its children "+" and "#" */
	void *value;       /* of the pattern that ends here; NULL: none does */
	uint64_t number;   /* never used for another node */
	uint32_t children; /* all of them */
	uint32_t key_len;  /* bytes */
	struct pattern_key key;
};

struct pattern_trie {
	struct siphash_key hash_key;
	struct pattern_node *nodes; /* uthash, all but the root */
	struct pattern_node *root;  /* owned */
	uint64_t made;              /* nodes, ever */
	size_t bytes; /* of the nodes that there are; the hash table apart */
};

/* An empty trie whose hash has this key. */
void pattern_trie_init(
    struct pattern_trie *trie, const struct siphash_key *hash_key);

/* Free all nodes.  What their values are is the caller's. */
void pattern_trie_fini(struct pattern_trie *trie);

/* The node where a valid pattern ends, with a value; NULL: no such pattern was
 * added. */
struct pattern_node *pattern_trie_find(
    struct pattern_trie *trie, const char *pattern, size_t len);

/*
 * The node where a valid pattern ends, made if there is none.
 * Owns: the trie.  The caller sets its value, which is not NULL, before anything
 * else is asked of the trie, unless it was there.
 */
struct pattern_node *pattern_trie_add(
    struct pattern_trie *trie, const char *pattern, size_t len);

/* No pattern ends in this node any more: forget its value, and free it and the
 * nodes above it that lead nowhere else. */
void pattern_trie_remove(struct pattern_trie *trie, struct pattern_node *node);

/*
 * Call found() with the value of each pattern that matches a name, in no
 * particular order.  found() must not change the trie.
 * Returns: how many nodes were visited, which is what it cost.
 */
size_t pattern_trie_match(const struct pattern_trie *trie, const char *name,
    size_t len, void (*found)(void *context, void *value), void *context);

#endif
