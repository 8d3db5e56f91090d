/* SPDX-License-Identifier: MIT */
/* container.h - from an embedded member back to its owner. */

#ifndef COMMON_CONTAINER_H
#define COMMON_CONTAINER_H

#include <stddef.h>

/* The struct of the given type whose member ptr points at. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
