/* SPDX-License-Identifier: MIT */
/* segment_of.h - the file of a segment, by a process that has it open. */

#ifndef BROKER_SHARED_SEGMENT_OF_H
#define BROKER_SHARED_SEGMENT_OF_H

#include <sys/types.h>

/*
 * Open, to read, the segment of this name that a process has open, whatever the
 * name means by now.
 * Callers: segment_file.c.
 * Returns: a descriptor, or -1: there is none, or it cannot be seen.
 * Owns:    the caller, close(2).
 */
int segment_open_of(const char *name, pid_t pid);

#endif
