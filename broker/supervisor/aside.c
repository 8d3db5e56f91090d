/* SPDX-License-Identifier: MIT */
/*
 * aside.c - rings of a cluster that were given up, whose records the other hosts do
 * not all have: their segments are kept beside the one that is served, for the
 * bridge; see state.h.
 *
 *	served  --given up-->  set aside, a name of its own  --the bridge says-->  gone
 *
 * They are found by their names, so they outlive the supervisor: whoever goes on with
 * the ring, or makes a new one, hands them to its bridge.
 */

#include "broker/ring/ring.h"
#include "broker/supervisor/state.h"

#include <inttypes.h>

#define ASIDE_LOST \
	"what the ring of epoch %s had not sent to the other hosts is lost"

/* Remove the one that was set aside first.  Returns false if there is none, or it cannot
 * be removed. */
static bool
aside_drop_oldest(struct supervisor *s, const char *why)
{
	int place = segment_oldest_aside(s->config->name);

	if (place == -1)
		return false;
	if (!segment_remove_aside(s->config->name, (unsigned)place)) {
		log_error("cannot remove a ring that was given up");
		return false;
	}
	log_errorx("what a ring that was given up had not sent to the other "
		   "hosts is lost: %s",
	    why);
	return true;
}

/* Returns a place for another one; -1: there is none. */
static int
aside_free_place(struct supervisor *s)
{
	int place = segment_free_aside(s->config->name);

	if (place == -1 && aside_drop_oldest(s, "there are too many of them"))
		place = segment_free_aside(s->config->name);
	return place;
}

bool
supervisor_set_aside(struct supervisor *s)
{
	struct layout_header *header = s->segment.header;
	char error[SEGMENT_ERROR_MAX];
	int place;

	if (!s->bridge.gave_up || atomic_load(&header->cluster.out) == 0)
		return false;
	/* aside-1: all that was committed; a worker may have died in the midst of
	 * a publish */
	if (!ring_recover(&s->segment, error)) {
		log_errorx(ASIDE_LOST ": %s", header->epoch, error);
		return false;
	}
	place = aside_free_place(s);
	if (place == -1) {
		log_errorx(ASIDE_LOST ": files of others have the names that "
				      "it could have",
		    header->epoch);
		return false;
	}
	if (!segment_set_aside(s->config->name, s->claim, (unsigned)place)) {
		log_error(ASIDE_LOST, header->epoch);
		return false;
	}
	log_info("the ring of epoch %s is kept until the other hosts have its "
		 "%" PRIu64 " messages",
	    header->epoch, atomic_load(&header->cluster.out));
	return true;
}

bool
supervisor_drop_aside(struct supervisor *s, const char *why)
{
	return aside_drop_oldest(s, why);
}

uint64_t
supervisor_aside_bytes(const struct supervisor *s)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++)
		bytes += segment_aside_size(s->config->name, i);
	return bytes;
}

void
supervisor_open_asides(const struct supervisor *s, int fds[SEGMENT_ASIDE_MAX])
{
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++)
		fds[i] = segment_open_aside(s->config->name, i);
}

void
supervisor_remove_asides(struct supervisor *s)
{
	if (segment_remove_asides(s->config->name))
		log_warnx("what a ring that was given up had not sent to the "
			  "other hosts is lost");
}

void
supervisor_tend_asides(struct supervisor *s)
{
	_Atomic uint32_t *done = &s->segment.header->cluster.asides_done;
	uint32_t bits = atomic_exchange(done, 0);

	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++)
		if (bits & UINT32_C(1) << i)
			segment_remove_aside(s->config->name, i);
}
