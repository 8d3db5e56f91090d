/* SPDX-License-Identifier: MIT */
/* serve.h - between one host's ring and the log that all hosts share. */

#ifndef BROKER_BRIDGE_SERVE_H
#define BROKER_BRIDGE_SERVE_H

#include "broker/bridge/link.h"
#include "broker/shared/segment.h"

struct serve_options {
	struct link_options link;
	const char *name;              /* of the instance */
	int segment, life;             /* descriptors */
	int asides[SEGMENT_ASIDE_MAX]; /* likewise, by place; -1: none */
	uint32_t max_message;          /* bytes */
	int doorbells[LAYOUT_WORKERS];
	unsigned doorbells_count; /* the last is ours */
};

/*
 * Serve until the supervisor is gone and the workers are.
 * Returns: the exit status (bridge_args.h), having told why in the log.
 */
int serve(const struct serve_options *options);

#endif
