/* SPDX-License-Identifier: MIT */
/*
 * test_json_oracle.c - json_check() against the grammar of RFC 8259 written
 * down as it stands, on random texts.
 *
 * The oracle recurses and reads a NUL-terminated text; each of its functions
 * returns where its piece ends, or NULL.  A failure prints the text, and the
 * seed is fixed, so that it fails again.
 */

#include "common/json.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

/* In a block of exactly its size: a sanitizer sees a look behind the end. */
static bool
check_says_json(const char *text)
{
	size_t len = strlen(text), where;
	char *block = malloc(len + 1);
	enum json_status status;
	const char *why;

	assert_non_null(block);
	memcpy(block + 1, text, len);
	status = json_check(block + 1, len, &where, &why);
	assert_in_range(where, 0, len);
	free(block);
	return status == JSON_OK;
}

static const char *oracle_value(const char *p, unsigned depth);

static const char *
oracle_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

static const char *
oracle_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	while (*p != '"') {
		if ((unsigned char)*p < ' ')
			return NULL;
		if (*p++ != '\\')
			continue;
		if (*p == 'u' && strspn(p + 1, "0123456789abcdefABCDEF") >= 4)
			p += 5;
		else if (*p != '\0' && strchr("\"\\/bfnrt", *p) != NULL)
			p++;
		else
			return NULL;
	}
	return p + 1;
}

static const char *
oracle_number(const char *p)
{
	size_t digits;

	p += *p == '-';
	digits = strspn(p, "0123456789");
	if (digits == 0 || (digits > 1 && *p == '0'))
		return NULL;
	p += digits;
	if (*p == '.') {
		digits = strspn(p + 1, "0123456789");
		if (digits == 0)
			return NULL;
		p += 1 + digits;
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		digits = strspn(p, "0123456789");
		if (digits == 0)
			return NULL;
		p += digits;
	}
	return p;
}

static const char *
oracle_element(const char *p, char close, unsigned depth)
{
	if (close == ']')
		return oracle_value(p, depth);
	p = oracle_string(oracle_space(p));
	if (p == NULL)
		return NULL;
	p = oracle_space(p);
	return *p == ':' ? oracle_value(p + 1, depth) : NULL;
}

static const char *
oracle_container(const char *p, char close, unsigned depth)
{
	if (depth > JSON_DEPTH_MAX)
		return NULL;
	p = oracle_space(p + 1);
	if (*p == close)
		return p + 1;
	while ((p = oracle_element(p, close, depth)) != NULL && *p == ',')
		p++;
	return p != NULL && *p == close ? p + 1 : NULL;
}

/* A value and the white space around it. */
static const char *
oracle_value(const char *p, unsigned depth)
{
	p = oracle_space(p);
	if (*p == '{')
		p = oracle_container(p, '}', depth + 1);
	else if (*p == '[')
		p = oracle_container(p, ']', depth + 1);
	else if (*p == '"')
		p = oracle_string(p);
	else if (strncmp(p, "true", 4) == 0 || strncmp(p, "null", 4) == 0)
		p += 4;
	else if (strncmp(p, "false", 5) == 0)
		p += 5;
	else
		p = oracle_number(p);
	return p != NULL ? oracle_space(p) : NULL;
}

static bool
oracle_is_json(const char *text)
{
	const char *end = oracle_value(text, 0);

	return end != NULL && *end == '\0';
}

static struct dice dice;

/* A text of pieces that often fit together. */
static void
random_text(char *out, size_t size)
{
	static const char *const pieces[] = { "{", "}", "[", "]", ",", ":",
		"\"", "\"a\"", "\"a\":", "{\"b\":", "1", "0", "-", ".", "e",
		"+", "true", "false", "null", "nul", " ", "\n", "\\", "\\u00e9",
		"\\n", "\x01", "\xc3\xa9", "[]", "{}", ",\"c\":", "x", "0.5" };
	unsigned n = 1 + dice_below(&dice, 9);

	*out = '\0';
	while (n-- > 0 && strlen(out) + 8 < size)
		strcat(out, pieces[dice_below(&dice, COUNT(pieces))]);
}

/* A valid text with up to two bytes changed, doubled or left out. */
static void
mutated_text(char *out)
{
	static const char *const seeds[] = {
		"{\"topic\":\"room\",\"message\":\"h\\u00e9\\nllo\"}",
		"[{\"a\":[1,-2.5e+3,0]},[],{},null,true,false,\"\\\\\"]",
		" { \"a\" : { \"b\" : [ [ ] , { } ] } , \"\" : \"\" } ",
	};
	static const char bytes[] = "{}[]\",:\\u0e.-+ tn\x01";

	strcpy(out, seeds[dice_below(&dice, COUNT(seeds))]);
	for (unsigned n = dice_below(&dice, 3); n > 0; n--)
		dice_mutate(&dice, out, bytes);
}

static void
test_random_texts_are_judged_like_by_recursion(void **state)
{
	const uint64_t seed = 0x9e3779b97f4a7c15u;
	unsigned valid = 0, broken = 0;
	char text[256];

	(void)state;
	dice.state = seed;
	print_message("seed %#llx\n", (unsigned long long)seed);
	for (int i = 0; i < 400000; i++) {
		bool wanted;

		if (i % 2 == 0)
			random_text(text, sizeof(text));
		else
			mutated_text(text);
		wanted = oracle_is_json(text);
		if (check_says_json(text) != wanted)
			fail_msg("text %d should be %s: %s", i,
			    wanted ? "valid" : "broken", text);
		if (wanted)
			valid++;
		else
			broken++;
	}
	assert_true(valid > 10000 && broken > 10000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_random_texts_are_judged_like_by_recursion),
};

SUITE_MAIN(tests);
