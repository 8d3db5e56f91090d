/* SPDX-License-Identifier: MIT */
/*
 * json.h - check JSON text, walk what is in an object or array, read and write
 * strings.
 *
 * A text is looked at in two steps.  json_check() says whether it is exactly
 * one JSON value by RFC 8259, and where and why it is not.  The other
 * functions then work on checked text and need not check it again.  Nothing is
 * built in memory: a value stays the range of text it came as ("raw"; for a
 * string that includes the quotes), because a message is stored and passed on
 * as the text that its publisher sent.
 *
 * Whether the bytes are UTF-8 is another question: see utf8.h.
 */

#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define JSON_DEPTH_MAX  64u         /* arrays and objects inside each other */
#define JSON_DEPTH_ANY  128u        /* the most that json_check_depth() takes */
#define JSON_OBJECT_MAX (64u << 20) /* bytes that json_object_open() takes */
#define JSON_FLAT_MAX   8u          /* members that are read at once */

/* Bytes that json_string_encode() may need for a text of len bytes. */
#define JSON_ENCODED_MAX(len) (6 * (size_t)(len) + 2)

enum json_status {
	JSON_OK = 0,
	JSON_BROKEN,     /* not JSON, or more than one value */
	JSON_TOO_DEEP,   /* nested deeper than JSON_DEPTH_MAX */
	JSON_NOT_OBJECT, /* a value, but of another kind; likewise: */
	JSON_NOT_ARRAY,
};

enum json_kind {
	JSON_STRING,
	JSON_NUMBER,
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

/* A value as it stands in the text; borrowed from that text. */
struct json_token {
	enum json_kind kind;
	const char *raw; /* not NUL-terminated; a string's quotes included */
	size_t raw_len;
};

/*
 * Walks the members of one object (or the elements of one array) after another.
 * It keeps its token memory between them, so that only a message larger than
 * all before it allocates: at most ten bytes for each byte of the largest text
 * read.
 */
struct json_reader {
	const char *text;    /* borrowed until the next open */
	void *tokens;        /* owned; grows, never shrinks */
	unsigned tokens_max; /* how many there is room for */
	unsigned tokens_len; /* how many this object has */
	unsigned next;       /* the token of the next member's key */
	/* Of an object that was read at once: keys and values in turn. */
	struct json_token flat[2 * JSON_FLAT_MAX];
	bool is_flat;
};

/*
 * Check that text is exactly one JSON value with white space around it at
 * most.  One pass, whatever the text: its cost depends on len alone.
 * Otherwise *where is the offset of the byte that is wrong (len if the text
 * ends too early) and *why a short static sentence for the sender.
 *
 * Returns: JSON_OK, JSON_BROKEN or JSON_TOO_DEEP.
 */
enum json_status json_check(
    const char *text, size_t len, size_t *where, const char **why);

/* The same with another limit than JSON_DEPTH_MAX: JSON_DEPTH_ANY at most. */
enum json_status json_check_depth(const char *text, size_t len,
    unsigned depth_max, size_t *where, const char **why);

/*
 * Returns: the length of the string, number or word that a text begins with; 0
 *          if it begins with none of them, or with a broken one.
 */
size_t json_scalar_len(const char *text, size_t len);

/*
 * Whether a checked value has at most max arrays and objects inside each other:
 * what is to be put into another one must leave room for that.
 */
bool json_within_depth(const char *text, size_t len, unsigned max);

/* Returns: the kind of the value that a checked text is. */
enum json_kind json_kind_of(const char *text, size_t len);

void json_reader_init(struct json_reader *reader);
void json_reader_fini(struct json_reader *reader);

/*
 * Begin to read the members of the object that a checked text is.  The text
 * must stay until the last json_member_next().
 *
 * Returns: JSON_OK or JSON_NOT_OBJECT; JSON_BROKEN only for a text that
 *          json_check() refuses, or one over JSON_OBJECT_MAX.
 */
enum json_status json_object_open(
    struct json_reader *reader, const char *text, size_t len);

/*
 * json_check() and json_object_open() in one, for a text that has not been
 * checked.  An object with nothing nested in it, as most requests are, is read
 * in one pass (json_flat.c).
 *
 * Returns: JSON_OK or JSON_NOT_OBJECT, or what json_check() says, with *where
 *          and *why; JSON_BROKEN also for one over JSON_OBJECT_MAX.
 */
enum json_status json_object_read(struct json_reader *reader, const char *text,
    size_t len, size_t *where, const char **why);

/*
 * Read the rest of a flat object, from the name of a member to the brace behind
 * the last one: keys and values in turn.  For who knows by itself what stands
 * before, which is a part of an object.
 *
 * Returns: how many tokens there are; 0, with some of them written, if the rest
 *          is not flat: the whole text is then json_object_read()'s to judge.
 */
unsigned json_flat_members(
    const char *at, size_t len, struct json_token tokens[2 * JSON_FLAT_MAX]);

/*
 * Take the next member, in the order of the text; a repeated name comes
 * repeatedly.  The key is always a JSON_STRING.
 *
 * Returns: false when there is none left, and leaves both alone then.
 */
bool json_member_next(struct json_reader *reader, struct json_token *key,
    struct json_token *value);

/* Begin again with the first member of what was opened. */
void json_member_rewind(struct json_reader *reader);

/*
 * The same for the elements of the array that a checked text is.
 *
 * Returns: JSON_OK or JSON_NOT_ARRAY; JSON_BROKEN as above.
 */
enum json_status json_array_open(
    struct json_reader *reader, const char *text, size_t len);

/*
 * Take the next element.
 *
 * Returns: false when there is none left, and leaves it alone then.
 */
bool json_element_next(struct json_reader *reader, struct json_token *value);

/*
 * Write what a checked string token stands for: raw, quotes included, to
 * UTF-8 in out, which has room for raw_len bytes.  A surrogate escape that is
 * not half of a pair becomes U+FFFD.  The result may hold NUL bytes.
 *
 * Returns: the number of bytes written, at most raw_len - 2.
 */
size_t json_string_decode(const char *raw, size_t raw_len, char *out);

/*
 * Write text, which is UTF-8, as a JSON string with its quotes.  Only what
 * must be escaped is.  out has room for JSON_ENCODED_MAX(len) bytes.
 *
 * Returns: the number of bytes written.
 */
size_t json_string_encode(const char *text, size_t len, char *out);

/*
 * Copy a checked value with each surrogate escape that is not half of a pair
 * replaced by the escape \ufffd (so is \uFFFD, in capitals): every string in
 * the copy then decodes to valid UTF-8.  out receives exactly len bytes and must
 * not overlap text.
 */
void json_normalise(const char *text, size_t len, char *out);

/*
 * Copy a checked value without the white space between its tokens.  The copy has
 * no control character in it, so it is one line.  out has room for len bytes and
 * may be text itself.
 *
 * Returns: the number of bytes written, at most len.
 */
size_t json_compact(const char *text, size_t len, char *out);

/* What json_string_equal() asks when a look at the bytes is not enough: read the
 * token, escapes and all. */
bool json_string_reads(
    const char *raw, size_t raw_len, const char *name, bool nocase);

/*
 * Returns: whether a checked string token stands for name, which is ASCII; for
 *          _nocase upper and lower case letters are the same.
 */
static inline bool
json_string_equal(const char *raw, size_t raw_len, const char *name)
{
	size_t plain = strlen(name) + 2;

	/* An escape is longer than what it stands for: so name is written
	 * plainly, as it nearly always is, or the token is longer. */
	if (raw_len <= plain)
		return raw_len == plain &&
		       memcmp(raw + 1, name, plain - 2) == 0;
	return json_string_reads(raw, raw_len, name, false);
}

static inline bool
json_string_equal_nocase(const char *raw, size_t raw_len, const char *name)
{
	size_t plain = strlen(name) + 2;

	return raw_len >= plain &&
	       ((raw_len == plain && memcmp(raw + 1, name, plain - 2) == 0) ||
		   json_string_reads(raw, raw_len, name, true));
}

#endif
