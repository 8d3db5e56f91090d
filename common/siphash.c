/* SPDX-License-Identifier: MIT */
/* siphash.c - see siphash.h. */

#include "common/siphash.h"

#include "common/random.h"

#include <endian.h>
#include <string.h>

/* The state: four words, set apart by the bytes of the inventors' phrase. */
struct siphash {
	uint64_t v0, v1, v2, v3;
};

void
siphash_key_make(struct siphash_key *key)
{
	random_fill(key, sizeof(*key));
}

static inline uint64_t
siphash_rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void
siphash_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v0 = siphash_rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v2 = siphash_rotate(s->v2, 32);
}

/* Eight bytes of the message. */
static inline void
siphash_word(struct siphash *s, uint64_t word)
{
	s->v3 ^= word;
	siphash_round(s);
	s->v0 ^= word;
}

/* The bytes behind the last whole eight, with the length on top. */
static uint64_t
siphash_last_word(const unsigned char *tail, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, tail, len % 8);
	return le64toh(word) | (uint64_t)len << 56;
}

uint64_t
siphash(const struct siphash_key *key, const void *data, size_t len)
{
	struct siphash s = {
		.v0 = key->words[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->words[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->words[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->words[1] ^ UINT64_C(0x7465646279746573),
	};
	const unsigned char *at = data;
	uint64_t word;

	for (size_t left = len; left >= 8; left -= 8, at += 8) {
		memcpy(&word, at, 8);
		siphash_word(&s, le64toh(word));
	}
	siphash_word(&s, siphash_last_word(at, len));
	s.v2 ^= 0xff;
	siphash_round(&s);
	siphash_round(&s);
	siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
