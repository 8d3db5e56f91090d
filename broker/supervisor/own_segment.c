/* SPDX-License-Identifier: MIT */
/* own_segment.c - the segment that the supervisor serves: found or made, in memory
 * in full, kept or removed; see state.h. */

#include "broker/host/cgroup.h"
#include "broker/ring/ring.h"
#include "broker/ring/store.h"
#include "broker/shared/stop_point.h"
#include "broker/supervisor/state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct segment_shape
supervisor_shape(const struct config *config)
{
	return (struct segment_shape){ .ring_size = config->ring_size,
		.topics_max = config->max_topics,
		.keys_max = config->dedup_keys,
		.members_max = config->max_members,
		.questions_max =
		    config->cluster_count > 0 ? LAYOUT_QUESTIONS : 0,
		.chunks_max = (uint32_t)(config->retain_size / LAYOUT_CHUNK) };
}

/* Whether a segment that was found is one that this configuration makes. */
static bool
own_fits(const struct supervisor *s)
{
	const struct layout_header *header = s->segment.header;
	const struct config *config = s->config;

	const struct segment_shape shape = supervisor_shape(config);

	return header->topics_max == shape.topics_max &&
	       header->keys_max == shape.keys_max &&
	       header->chunks_max == shape.chunks_max &&
	       header->members_max == shape.members_max &&
	       header->questions_max == shape.questions_max &&
	       header->segment_size == segment_size(&shape);
}

/* Map the segment that was claimed, if it has the right size.  Returns as
 * own_take_over(). */
static enum segment_status
own_attach(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status =
	    segment_take_over(&s->segment, s->claim, s->config->name, error);

	if (status != SEGMENT_OK || own_fits(s))
		return status;
	snprintf(error, SEGMENT_ERROR_MAX,
	    "it was made with another --ring-size, --max-topics, "
	    "--max-members, --retain-size or --dedup-keys, or with --cluster "
	    "where there is none now, or without");
	segment_close(&s->segment);
	return SEGMENT_FOREIGN;
}

/*
 * Map the segment that was claimed, if it can be gone on with.
 * Returns SEGMENT_OK; SEGMENT_FOREIGN with a reason if it cannot; SEGMENT_FAILED
 * with a reason if it may be sound, and the system did not let us see.
 */
static enum segment_status
own_take_over(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status = own_attach(s, error);

	if (status != SEGMENT_OK || ring_recover(&s->segment, error))
		return status;
	segment_close(&s->segment);
	return SEGMENT_FOREIGN;
}

bool
supervisor_has_memory(
    const struct config *config, uint64_t beside, char error[SEGMENT_ERROR_MAX])
{
	const struct segment_shape shape = supervisor_shape(config);
	uint64_t size = segment_size(&shape) + beside;
	uint64_t limit = cgroup_memory("/proc/self");

	if (size < limit)
		return true;
	snprintf(error, SEGMENT_ERROR_MAX,
	    "%llu MiB of shared memory are more than the control group "
	    "(cgroup) "
	    "allows, %llu MiB in all (see --ring-size, --max-topics)",
	    (unsigned long long)(size >> 20),
	    (unsigned long long)(limit >> 20));
	return false;
}

/* Remove the segment that was claimed and make another. */
static bool
own_create(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	const struct config *config = s->config;
	const struct segment_shape shape = supervisor_shape(config);

	if (!supervisor_has_memory(config, supervisor_aside_bytes(s), error))
		return false;
	if (s->claim != -1)
		segment_remove(config->name, s->claim);
	s->claim = -1;
	return store_create(
	    &s->segment, config->name, &shape, &s->claim, error);
}

enum exit_status
supervisor_open_segment(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status = SEGMENT_OK;

	if (s->kept.workers == 0) /* a killed one may have left it */
		segment_remove_next(s->config->name);
	if (!supervisor_has_bridge(s))
		supervisor_remove_asides(s);
	if (s->claim == -1)
		status = segment_claim(s->config->name, &s->claim, error);
	if (status == SEGMENT_BUSY)
		return EXIT_STATUS_ALREADY_RUNNING;
	if (status == SEGMENT_FOREIGN)
		return EXIT_STATUS_FAILED;
	if (status == SEGMENT_OK) {
		/* With workers at work there is nothing to be repaired, and no
		 * other ring that they could go on with. */
		if (s->kept.workers > 0)
			return own_attach(s, error) == SEGMENT_OK
			           ? EXIT_STATUS_OK
			           : EXIT_STATUS_FAILED;
		status = own_take_over(s, error);
		if (status == SEGMENT_OK) {
			log_info("going on with the ring of epoch %s",
			    s->segment.header->epoch);
			stop_point_here(s->segment.header, STOP_ADOPTED);
			s->has_history = true;
			return EXIT_STATUS_OK;
		}
		if (status != SEGMENT_FAILED)
			log_warnx(
			    "a new ring instead of the one found: %s", error);
	}
	/* Whatever is there stays for the next start. */
	if (status == SEGMENT_FAILED)
		return EXIT_STATUS_FAILED;
	/* One that was killed may have set a ring aside, and made no other. */
	while (!own_create(s, error))
		if (!supervisor_drop_aside(s, error))
			return EXIT_STATUS_FAILED;
	return EXIT_STATUS_OK;
}

void
supervisor_fill_segment(struct supervisor *s)
{
	char error[SEGMENT_ERROR_MAX];

	if (!segment_fill(&s->segment, s->claim, s->config->name, error))
		supervisor_fail(s, "%s", error);
}

/* The same, and have it in memory in full. */
static bool
own_create_filled(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	if (!own_create(s, error))
		return false;
	if (segment_fill(&s->segment, s->claim, s->config->name, error))
		return true;
	segment_close(&s->segment);
	return false;
}

bool
supervisor_renew_segment(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	struct layout_cluster last = s->segment.header->cluster, *c;

	if (supervisor_set_aside(s)) {
		close(s->claim);
		s->claim = -1;
	}
	segment_close(&s->segment);
	while (!own_create_filled(s, error))
		if (!supervisor_drop_aside(s, error))
			return false;
	c = &s->segment.header->cluster;
	memcpy(c->counters, last.counters, sizeof(c->counters));
	c->accept_to_ring = last.accept_to_ring;
	return true;
}

/* Whether the next start is to find the segment. */
static bool
own_keeps_ring(const struct supervisor *s)
{
	const struct layout_header *header = s->segment.header;

	if (!s->config->keep_ring ||
	    (!s->has_history && atomic_load(&header->run.ready) != 1))
		return false;
	if (segment_is_named(s->config->name, s->claim))
		return true;
	log_errorx("the ring cannot be kept: its name in /dev/shm is gone");
	return false;
}

void
supervisor_close_segment(struct supervisor *s)
{
	struct layout_header *header = s->segment.header;
	/* Without a segment there was no room for another: a renewal has failed. */
	bool keep = header != NULL && own_keeps_ring(s);

	if (header != NULL)
		supervisor_tend_asides(s); /* or they would count as lost */
	if (keep) {
		log_info("the ring of epoch %s is kept for the next start",
		    header->epoch);
		atomic_store(&header->run.kept, 1);
	}
	segment_close(&s->segment);
	if (keep) {
		close(s->claim);
	} else {
		segment_remove(s->config->name, s->claim);
		supervisor_remove_asides(s);
	}
	s->claim = -1;
}
