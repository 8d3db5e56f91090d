/* SPDX-License-Identifier: MIT */
/* segment_path.h - where the file of a segment is; for segment_*.c alone. */

#ifndef BROKER_SHARED_SEGMENT_PATH_H
#define BROKER_SHARED_SEGMENT_PATH_H

#include <stdio.h>

#define SEGMENT_PATH_MAX  80         /* with the longest name */
#define SEGMENT_DIRECTORY "/dev/shm" /* where shm_open(3) has its files */

/* As shm_open(3) takes it. */
static inline void
segment_path(char path[SEGMENT_PATH_MAX], const char *name)
{
	snprintf(path, SEGMENT_PATH_MAX, "/pubsubd.%s", name);
}

/* As the file system has it. */
static inline void
segment_full_path(char full[SEGMENT_PATH_MAX], const char *name)
{
	snprintf(full, SEGMENT_PATH_MAX, SEGMENT_DIRECTORY "/pubsubd.%s", name);
}

#endif
