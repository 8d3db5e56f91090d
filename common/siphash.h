/* SPDX-License-Identifier: MIT */
/*
 * siphash.h - a keyed hash, for tables whose keys a client chooses.
 *
 * With a hash that anybody can compute, a client picks names that all fall into
 * one bucket, and each look-up walks them all.  With SipHash-1-3 (Aumasson and
 * Bernstein; the variant with one and three rounds) and a secret random key,
 * the client cannot know which names share a bucket.  This hash is not good
 * enough for a signature, which needs more rounds.
 */

#ifndef COMMON_SIPHASH_H
#define COMMON_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t words[2];
};

/* Make a random key.  Blocks: only before the kernel's generator is ready, at
 * boot. */
void siphash_key_make(struct siphash_key *key);

/* The hash of len bytes.  Pure. */
uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

#endif
