/* SPDX-License-Identifier: MIT */
/*
 * version.h - memory that one process writes and others read without a lock.
 *
 *	writer: begin, write, end		the version is odd meanwhile
 *	reader: look, copy, look again		the copy counts if it is the same
 *
 * What was copied may be half of one state and half of another until the second
 * look has said that it is not; so it is bounds-checked, and nothing more, before.
 */

#ifndef BROKER_SHARED_VERSION_H
#define BROKER_SHARED_VERSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Readers see from now on that the rest is being written.  Callers: the one
 * writer, as of the next. */
static inline void
version_begin(_Atomic uint32_t *version)
{
	atomic_fetch_add_explicit(version, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

static inline void
version_end(_Atomic uint32_t *version)
{
	atomic_fetch_add_explicit(version, 1, memory_order_release);
}

static inline uint32_t
version_look(const _Atomic uint32_t *version)
{
	return atomic_load_explicit(version, memory_order_acquire);
}

/* Whether what was copied since the version was `before' is whole. */
static inline bool
version_is_still(const _Atomic uint32_t *version, uint32_t before)
{
	atomic_thread_fence(memory_order_acquire);
	return before % 2 == 0 &&
	       atomic_load_explicit(version, memory_order_relaxed) == before;
}

#endif
