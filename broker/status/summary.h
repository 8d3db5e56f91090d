/* SPDX-License-Identifier: MIT */
/* summary.h - what became of the connections of a run that is over. */

#ifndef BROKER_STATUS_SUMMARY_H
#define BROKER_STATUS_SUMMARY_H

#include "broker/shared/segment.h"

#include <stdint.h>

struct summary {
	uint64_t closed_cleanly; /* their close frame was answered */
	uint64_t cut;            /* at the deadline, or with their worker */
};

/* Add up over all workers.  Callers: supervisor, stop. */
struct summary summary_of(const struct segment *seg);

#endif
