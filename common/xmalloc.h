/* SPDX-License-Identifier: MIT */
/*
 * xmalloc.h - memory or death.
 *
 * On Linux a small allocation does not fail; the kernel kills instead.  So one
 * policy for all: out of memory is logged and aborts this process alone, and
 * the supervisor starts another.  Memory that grows for a client reaches a
 * limit (broker/cli/README.md, Limits) long before malloc could fail.
 */

#ifndef COMMON_XMALLOC_H
#define COMMON_XMALLOC_H

#include <stddef.h>

/* Like malloc(3), calloc(3), reallocarray(3); never return NULL.  The caller
 * owns the memory and gives it to free(3). */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *old, size_t n, size_t size);

/* A copy of a string.  Owns: the caller. */
char *xstrdup(const char *text);

#endif
