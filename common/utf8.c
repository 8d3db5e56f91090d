/* SPDX-License-Identifier: MIT */
/*
 * utf8.c - see utf8.h.
 *
 * The first two bytes decide whether a sequence can be well-formed: the first
 * gives the length, and the range that it allows for the second rules out
 * overlong forms, surrogates and numbers above U+10FFFF (Unicode, table 3-7).
 */

#include "common/utf8.h"

#include <string.h>

#define UTF8_WORD_HIGH_BITS 0x8080808080808080u

struct utf8_lead {
	unsigned len;        /* bytes of the sequence, 0: not a first byte */
	unsigned second_min; /* range of the second byte */
	unsigned second_max;
};

/* Which bytes may follow a first byte that is not ASCII. */
static struct utf8_lead
utf8_lead_of(unsigned char c)
{
	if (c >= 0xc2 && c <= 0xdf)
		return (struct utf8_lead){ 2, 0x80, 0xbf };
	if (c == 0xe0)
		return (struct utf8_lead){ 3, 0xa0, 0xbf };
	if (c == 0xed)
		return (struct utf8_lead){ 3, 0x80, 0x9f };
	if (c >= 0xe1 && c <= 0xef)
		return (struct utf8_lead){ 3, 0x80, 0xbf };
	if (c == 0xf0)
		return (struct utf8_lead){ 4, 0x90, 0xbf };
	if (c >= 0xf1 && c <= 0xf3)
		return (struct utf8_lead){ 4, 0x80, 0xbf };
	if (c == 0xf4)
		return (struct utf8_lead){ 4, 0x80, 0x8f };
	return (struct utf8_lead){ 0, 0, 0 };
}

/* Returns the length of the well-formed sequence at p, 0 if there is none. */
static size_t
utf8_sequence(const unsigned char *p, size_t len)
{
	struct utf8_lead lead = utf8_lead_of(p[0]);

	if (lead.len == 0 || lead.len > len)
		return 0;
	if (p[1] < lead.second_min || p[1] > lead.second_max)
		return 0;
	for (unsigned i = 2; i < lead.len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return lead.len;
}

/* Returns how many bytes at p are ASCII, looking at eight at a time. */
static size_t
utf8_ascii_run(const unsigned char *p, size_t len)
{
	size_t run = 0;
	uint64_t word;

	for (; len - run >= sizeof(word); run += sizeof(word)) {
		memcpy(&word, p + run, sizeof(word));
		if ((word & UTF8_WORD_HIGH_BITS) != 0)
			break;
	}
	while (run < len && p[run] < 0x80)
		run++;
	return run;
}

bool
utf8_valid(const void *text, size_t len)
{
	const unsigned char *p = text;
	size_t i = 0;

	while (i < len) {
		if (p[i] < 0x80) {
			i += utf8_ascii_run(p + i, len - i);
		} else {
			size_t sequence = utf8_sequence(p + i, len - i);

			if (sequence == 0)
				return false;
			i += sequence;
		}
	}
	return true;
}

size_t
utf8_encode(uint32_t cp, char *out)
{
	unsigned char *p = (unsigned char *)out;

	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = UTF8_REPLACEMENT;
	if (cp < 0x80) {
		p[0] = (unsigned char)cp;
		return 1;
	}
	if (cp < 0x800) {
		p[0] = (unsigned char)(0xc0 | cp >> 6);
		p[1] = (unsigned char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		p[0] = (unsigned char)(0xe0 | cp >> 12);
		p[1] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
		p[2] = (unsigned char)(0x80 | (cp & 0x3f));
		return 3;
	}
	p[0] = (unsigned char)(0xf0 | cp >> 18);
	p[1] = (unsigned char)(0x80 | (cp >> 12 & 0x3f));
	p[2] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
	p[3] = (unsigned char)(0x80 | (cp & 0x3f));
	return 4;
}
