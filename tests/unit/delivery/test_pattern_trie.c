/* SPDX-License-Identifier: MIT */
/* test_pattern_trie.c - what worker/delivery/pattern_trie.h promises. */

#include "common/pattern.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "worker/delivery/pattern_trie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct siphash_key hash_key = { { 1, 2 } };

/* A pattern of these tests; its value is itself. */
struct known {
	char text[PATTERN_MAX + 1];
	size_t len;
	bool is_added;
	unsigned found;
};

static int
trie_setup(void **state)
{
	struct pattern_trie *trie = calloc(1, sizeof(*trie));

	assert_non_null(trie);
	pattern_trie_init(trie, &hash_key);
	*state = trie;
	return 0;
}

static int
trie_teardown(void **state)
{
	pattern_trie_fini(*state);
	free(*state);
	return 0;
}

static void
known_found(void *context, void *value)
{
	struct known *known = value;

	(void)context;
	assert_true(known->is_added);
	known->found++;
}

static void
known_add(struct pattern_trie *trie, struct known *known)
{
	struct pattern_node *node =
	    pattern_trie_add(trie, known->text, known->len);

	if (node->value == NULL)
		node->value = known;
	known->is_added = node->value == known;
}

static void
known_remove(struct pattern_trie *trie, struct known *known)
{
	struct pattern_node *node =
	    pattern_trie_find(trie, known->text, known->len);

	assert_ptr_equal(node->value, known);
	pattern_trie_remove(trie, node);
	known->is_added = false;
}

static void
test_finds_what_was_added(void **state)
{
	struct pattern_trie *trie = *state;
	struct known chat = { .text = "room/+/chat", .len = 11 };

	assert_null(pattern_trie_find(trie, "room/+/chat", 11));
	known_add(trie, &chat);
	assert_ptr_equal(
	    pattern_trie_find(trie, "room/+/chat", 11)->value, &chat);
	/* A part of the way is no pattern. */
	assert_null(pattern_trie_find(trie, "room/+", 6));
	assert_null(pattern_trie_find(trie, "room/1/chat", 11));
}

/* With the last pattern its levels go, but not those of others. */
static void
test_nothing_is_left_behind(void **state)
{
	struct pattern_trie *trie = *state;
	struct known a = { .text = "a/b/c", .len = 5 };
	struct known b = { .text = "a/b", .len = 3 };
	size_t bytes;

	known_add(trie, &b);
	bytes = trie->bytes;
	assert_true(bytes > 0);
	known_add(trie, &a);
	known_remove(trie, &a);
	assert_int_equal(trie->bytes, bytes);
	assert_non_null(pattern_trie_find(trie, "a/b", 3));
	known_add(trie, &a);
	known_remove(trie, &b);
	assert_non_null(pattern_trie_find(trie, "a/b/c", 5));
	known_remove(trie, &a);
	assert_int_equal(trie->bytes, 0);
	assert_null(trie->nodes);
	assert_int_equal(trie->root->children, 0);
}

/* Text of a few levels from a small alphabet, so that much matches. */
static size_t
any_text(struct dice *dice, char *text, const char *levels)
{
	size_t len = 0;

	for (uint64_t n = dice_below(dice, 5);; n--) {
		if (dice_below(dice, 9) > 0)
			text[len++] = levels[dice_below(dice, strlen(levels))];
		if (n == 0)
			break;
		text[len++] = '/';
	}
	text[len] = '\0';
	return len;
}

#define KNOWN 400u

/* The same as the one matcher says, for each pattern that there is. */
static void
compare(
    struct pattern_trie *trie, struct known *all, const char *name, size_t len)
{
	for (unsigned i = 0; i < KNOWN; i++)
		all[i].found = 0;
	pattern_trie_match(trie, name, len, known_found, NULL);
	for (unsigned i = 0; i < KNOWN; i++) {
		bool wanted = all[i].is_added && pattern_matches(all[i].text,
						     all[i].len, name, len);

		if (all[i].found != wanted)
			fail_msg("%s found %u times for %s", all[i].text,
			    all[i].found, name);
	}
}

/* Patterns come and go, and names are looked up. */
static void
test_matches_as_the_matcher_does(void **state)
{
	struct pattern_trie *trie = *state;
	struct known *all = calloc(KNOWN, sizeof(*all));
	struct dice dice = { 15 };
	char name[32];
	const char *why;

	assert_non_null(all);
	for (unsigned round = 0; round < 20000; round++) {
		struct known *one = &all[dice_below(&dice, KNOWN)];
		size_t len;

		if (one->is_added) {
			known_remove(trie, one);
		} else {
			do
				one->len = any_text(&dice, one->text, "ab+#");
			while (!pattern_valid(one->text, one->len, &why));
			known_add(trie, one);
		}
		len = any_text(&dice, name, "aab+#");
		compare(trie, all, name, len);
	}
	for (unsigned i = 0; i < KNOWN; i++)
		if (all[i].is_added)
			known_remove(trie, &all[i]);
	assert_int_equal(trie->bytes, 0);
	free(all);
}

static void
count_found(void *context, void *value)
{
	(void)value;
	++*(unsigned *)context;
}

/* What it costs grows with what matches, not with how many there are. */
static void
test_a_look_up_passes_by_what_does_not_match(void **state)
{
	struct pattern_trie *trie = *state;
	static struct known known = { .text = "" };
	unsigned found = 0;
	char text[32];

	for (unsigned i = 0; i < 10000; i++) {
		int len = snprintf(text, sizeof(text), "room/%u/+", i);

		pattern_trie_add(trie, text, (size_t)len)->value = &known;
	}
	assert_int_equal(
	    pattern_trie_match(trie, "room/77/chat", 12, count_found, &found),
	    4);
	assert_int_equal(found, 1);
}

/* As deep, and as wide, as 255 bytes can be. */
static void
test_takes_the_deepest_pattern(void **state)
{
	struct pattern_trie *trie = *state;
	struct known deep = { .len = PATTERN_MAX };
	char name[PATTERN_MAX];

	for (unsigned i = 0; i < PATTERN_MAX; i++)
		deep.text[i] = i % 2 == 0 ? '+' : '/';
	known_add(trie, &deep);
	for (unsigned i = 0; i < PATTERN_MAX; i++)
		name[i] = i % 2 == 0 ? 'x' : '/';
	pattern_trie_match(trie, name, sizeof(name), known_found, NULL);
	assert_int_equal(deep.found, 1);
	memset(name, '/', sizeof(name));
	pattern_trie_match(trie, name, sizeof(name), known_found, NULL);
	assert_int_equal(deep.found, 1);
	known_remove(trie, &deep);
}

#define TRIE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, trie_setup, trie_teardown)

static const struct CMUnitTest tests[] = {
	TRIE_TEST(test_finds_what_was_added),
	TRIE_TEST(test_nothing_is_left_behind),
	TRIE_TEST(test_matches_as_the_matcher_does),
	TRIE_TEST(test_a_look_up_passes_by_what_does_not_match),
	TRIE_TEST(test_takes_the_deepest_pattern),
};

SUITE_MAIN(tests);
