/* SPDX-License-Identifier: MIT */
/* stop_point.c - see stop_point.h.  Empty but for tests. */

#include "broker/shared/stop_point.h"

#ifdef TESTING

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static uint32_t stop_self = STOP_ANYBODY;
static _Atomic uint32_t *stop_arm; /* NULL: the segment's, like the next */
static _Atomic int32_t *stop_sign;

void
stop_point_use(_Atomic uint32_t *arm, _Atomic int32_t *stopped)
{
	stop_arm = arm;
	stop_sign = stopped;
}

void
stop_point_set_self(uint32_t who)
{
	stop_self = who;
}

/* Disarm a place.  Returns whether it was armed so. */
static bool
stop_point_disarm(struct layout_header *header, uint32_t armed)
{
	return atomic_compare_exchange_strong(
	    stop_arm != NULL ? stop_arm : &header->stop_point_arm, &armed,
	    STOP_NOWHERE);
}

void
stop_point_here(struct layout_header *header, enum stop_place place)
{
	if (!stop_point_disarm(header, STOP_AT(place, STOP_ANYBODY)) &&
	    !stop_point_disarm(header, STOP_AT(place, stop_self)))
		return;
	atomic_store(stop_sign != NULL ? stop_sign : &header->stopped,
	    (int32_t)getpid());
	raise(SIGSTOP);
}

const char *
stop_point_name(enum stop_place place)
{
	static const char *const names[STOP_PLACES] = {
		[STOP_NOWHERE] = "nowhere",
/* NOLINTNEXTLINE(bugprone-macro-parentheses): it makes an initializer */
#define STOP_NAME(upper, text, where) [STOP_##upper] = text,
		STOP_LIST(STOP_NAME)
#undef STOP_NAME
	};

	return names[place];
}

enum stop_place
stop_point_named(const char *name)
{
	for (int i = STOP_NOWHERE + 1; i < STOP_PLACES; i++)
		if (strcmp(stop_point_name((enum stop_place)i), name) == 0)
			return (enum stop_place)i;
	return STOP_NOWHERE;
}

#endif
