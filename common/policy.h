/* SPDX-License-Identifier: MIT */
/*
 * policy.h - what an operator has said about the topics of a pattern.
 *
 *	[topic "room/#"]	a section of the configuration file
 *	rate = 50
 *
 *	sections + name --policies_look_up()--> policy
 *
 * For a name, each value is that of the last section whose pattern (pattern.h)
 * fits and which says it: a section need not repeat what those before it say.
 * Whoever needs a policy more than once has it from worker/delivery/policies.h.
 */

#ifndef COMMON_POLICY_H
#define COMMON_POLICY_H

#include "common/pattern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICIES_MAX 64u /* sections */

/* The longest ttl of a message, by policy or its publisher's word: seconds. */
#define POLICY_TTL_MAX (366u * 24 * 3600)

/* policy.history: as many as the ring has. */
#define POLICY_HISTORY_ALL UINT32_MAX

/* What may be said, as a number for each. */
enum policy_key {
	POLICY_HISTORY = 0,
	POLICY_OVERFLOW,
	POLICY_RATE,
	POLICY_RETAIN,
	POLICY_TTL,
	POLICY_KEYS
};

/* policy.overflow: what happens to a client whose buffer is full. */
enum policy_overflow {
	POLICY_OVERFLOW_CLIENT = 0, /* as it has asked for */
	POLICY_OVERFLOW_DROP,
	POLICY_OVERFLOW_LATEST,
	POLICY_OVERFLOW_CLOSE,
};

struct policy {
	uint32_t history; /* past messages that can be had */
	uint8_t overflow; /* enum policy_overflow */
	uint32_t rate;    /* messages per second to a topic; 0: any */
	/* Of a message whose publisher does not say it: */
	bool retain;    /* it is the topic's last value */
	uint32_t ttl_s; /* nobody is sent it later; 0: for ever */
};

/* Of a topic that no section is about. */
extern const struct policy policy_default;

struct policy_section {
	unsigned said; /* bits, 1 << enum policy_key */
	struct policy says;
	uint8_t pattern_len;
	char pattern[PATTERN_MAX];
};

struct policies {
	uint32_t count;
	struct policy_section sections[POLICIES_MAX];
};

/* Fill in what holds for a topic.  Pure; looks at every section. */
void policies_look_up(const struct policies *policies, const char *name,
    size_t len, struct policy *policy);

/* Whether both say the same of all topics, in the same order. */
bool policies_equal(const struct policies *a, const struct policies *b);

#endif
