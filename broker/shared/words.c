/* SPDX-License-Identifier: MIT */
/* words.c - see words.h. */

#include "broker/shared/words.h"

#include <string.h>

void
words_store(_Atomic uint64_t *to, const void *from, size_t len)
{
	const char *at = from;
	uint64_t word;

	for (; len > 0; to++) {
		size_t n = len < sizeof(word) ? len : sizeof(word);

		word = 0;
		memcpy(&word, at, n);
		atomic_store_explicit(to, word, memory_order_relaxed);
		at += n;
		len -= n;
	}
}

void
words_load(void *to, const _Atomic uint64_t *from, size_t len)
{
	char *at = to;
	uint64_t word;

	for (; len > 0; from++) {
		size_t n = len < sizeof(word) ? len : sizeof(word);

		word = atomic_load_explicit(
		    (_Atomic uint64_t *)(uintptr_t)from, memory_order_relaxed);
		memcpy(at, &word, n);
		at += n;
		len -= n;
	}
}

uint64_t
words_begin_write(_Atomic uint64_t *version)
{
	uint64_t odd = atomic_load_explicit(version, memory_order_relaxed) | 1;

	atomic_store_explicit(version, odd, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	return odd;
}

bool
words_are_whole(const _Atomic uint64_t *version, uint64_t seen)
{
	atomic_thread_fence(memory_order_acquire);
	return (seen & 1) == 0 &&
	       atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)version,
		   memory_order_relaxed) == seen;
}
