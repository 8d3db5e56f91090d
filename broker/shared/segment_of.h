/* SPDX-License-Identifier: MIT */
/* segment_of.h - the file of a segment, and the page of upgrades, by a process that
 * has it open. */

#ifndef BROKER_SHARED_SEGMENT_OF_H
#define BROKER_SHARED_SEGMENT_OF_H

#include <sys/types.h>

/* What a memfd of upgrade_page.h is called. */
#define SEGMENT_PAGE_NAME "pubsubd.upgrade"

/*
 * Open, to read, the segment of this name that a process has open, whatever the
 * name means by now.
 * Callers: segment_file.c.
 * Returns: a descriptor, or -1: there is none, or it cannot be seen.
 * Owns:    the caller, close(2).
 */
int segment_open_of(const char *name, pid_t pid);

/* The same for the page of upgrades that it has.  Callers: upgrade_page.c. */
int segment_open_page_of(pid_t pid);

#endif
