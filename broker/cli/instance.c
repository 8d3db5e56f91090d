/* SPDX-License-Identifier: MIT */
/* instance.c - see instance.h. */

#include "broker/cli/instance.h"

#include "broker/host/process.h"

#include <stdio.h>

/* Whether the run that a segment shows is that of this process. */
static bool
instance_is_of(const struct segment *seg, pid_t supervisor)
{
	int32_t pid = atomic_load(&seg->header->run.supervisor);

	/* One of another pid namespace cannot be told from another. */
	return supervisor == LOCKFILE_UNSEEN ||
	       pid == process_own_number(supervisor);
}

/* The segment of the holder of the lock, from its descriptors: the name has been
 * lost, or is that of an earlier segment. */
static bool
instance_attach_holder(struct segment *seg, const char *name, pid_t supervisor)
{
	char error[SEGMENT_ERROR_MAX];

	if (supervisor == LOCKFILE_UNSEEN ||
	    segment_attach_of(seg, name, supervisor, error) != SEGMENT_OK)
		return false;
	if (instance_is_of(seg, supervisor))
		return true;
	segment_close(seg);
	return false;
}

bool
instance_attach(struct segment *seg, const char *name,
    const struct lockfile_holders *holders, char error[INSTANCE_ERROR_MAX])
{
	char why[SEGMENT_ERROR_MAX];
	enum segment_status status = segment_attach(seg, name, false, why);

	if (status == SEGMENT_OK) {
		if (holders->supervisor == 0 ||
		    instance_is_of(seg, holders->supervisor))
			return true;
		segment_close(seg);
	}
	if (status != SEGMENT_FAILED && holders->supervisor != 0 &&
	    instance_attach_holder(seg, name, holders->supervisor))
		return true;
	if (status != SEGMENT_OK)
		snprintf(error, INSTANCE_ERROR_MAX,
		    "is only just starting, or stopping: %s", why);
	else
		snprintf(error, INSTANCE_ERROR_MAX, "is only just starting%s",
		    holders->worker != 0
			? ": it waits for the workers of a killed server"
			: "");
	return false;
}
