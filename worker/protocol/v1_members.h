/* SPDX-License-Identifier: MIT */
/*
 * v1_members.h - the members of a request of pubsubd.v1, as they stand in it.
 *
 * What they mean, and which a request needs, is v1_request.c's.
 */

#ifndef WORKER_PROTOCOL_V1_MEMBERS_H
#define WORKER_PROTOCOL_V1_MEMBERS_H

#include "common/json.h"

/* The members that requests have; raw tokens, raw == NULL: not there. */
struct v1_members {
	struct json_token type, id, topic, message, since, history, echo,
	    before, limit, token, ephemeral, members, after, subscribe, pattern,
	    ttl, key, retain, last, every_ms;
};

/* Collect the members of the object that is being read; of a repeated one the
 * last counts.  Without a type it is a plain message, whose names of members may
 * be in upper or lower case. */
void v1_collect(struct json_reader *json, struct v1_members *m);

#endif
