/* SPDX-License-Identifier: MIT */
/* lock.c - see lock.h. */

#include "broker/shared/lock.h"

#include "common/bug.h"

_Static_assert(sizeof(pthread_mutex_t) <= LAYOUT_LOCK_SIZE,
    "the lock fits its place in the layout");

pthread_mutex_t *
lock_mutex(struct layout_header *header)
{
	return (pthread_mutex_t *)(void *)header->lock;
}

void
lock_make(struct layout_header *header)
{
	pthread_mutexattr_t attr;
	int err;

	err = pthread_mutexattr_init(&attr);
	if (err == 0)
		err =
		    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (err == 0)
		err = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (err == 0)
		err = pthread_mutex_init(lock_mutex(header), &attr);
	CHECK(err == 0);
	pthread_mutexattr_destroy(&attr);
}
