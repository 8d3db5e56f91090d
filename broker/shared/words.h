/* SPDX-License-Identifier: MIT */
/*
 * words.h - bytes of the segment that one process writes while others read them.
 *
 *	writer: version odd		reader: version (acquire)
 *	        fence (release)		        words
 *	        words			        fence (acquire)
 *	        version even (release)	        the same version, and even: whole
 *
 * A writer that dies in between leaves an odd version, with which the next one
 * goes on.  What was read may be anything if a process has run wild: a reader
 * checks every length.
 */

#ifndef BROKER_SHARED_WORDS_H
#define BROKER_SHARED_WORDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copy len bytes, word by word; the last word is filled up with zeros. */
void words_store(_Atomic uint64_t *to, const void *from, size_t len);
void words_load(void *to, const _Atomic uint64_t *from, size_t len);

/* Begin to write what has this version.  Returns the odd one; the caller stores
 * the one behind it, with release, when all is written. */
uint64_t words_begin_write(_Atomic uint64_t *version);

/* The version as a reader begins. */
static inline uint64_t
words_version(const _Atomic uint64_t *version)
{
	return atomic_load_explicit(
	    (_Atomic uint64_t *)(uintptr_t)version, memory_order_acquire);
}

/* Whether what was read since this version was seen is whole. */
bool words_are_whole(const _Atomic uint64_t *version, uint64_t seen);

#endif
