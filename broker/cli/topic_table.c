/* SPDX-License-Identifier: MIT */
/* topic_table.c - see topic_table.h. */

#include "broker/cli/topic_table.h"

#include <stdio.h>
#include <string.h>

#define TOPIC_HISTORY_MAX 1000000000u
#define TOPIC_RATE_MAX    1000000u

static bool
topic_set_history(
    struct policy *policy, const char *value, char why[VALUES_WHY_MAX])
{
	uint64_t number;

	if (!value_count(value, 0, TOPIC_HISTORY_MAX, &number, why))
		return false;
	policy->history = (uint32_t)number;
	return true;
}

static bool
topic_set_overflow(
    struct policy *policy, const char *value, char why[VALUES_WHY_MAX])
{
	static const char *const names[] = {
		[POLICY_OVERFLOW_CLIENT] = "client",
		[POLICY_OVERFLOW_DROP] = "drop",
		[POLICY_OVERFLOW_LATEST] = "latest",
		[POLICY_OVERFLOW_CLOSE] = "close",
	};

	for (uint8_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0) {
			policy->overflow = i;
			return true;
		}
	snprintf(why, VALUES_WHY_MAX, "must be client, drop, latest or close");
	return false;
}

static bool
topic_set_rate(
    struct policy *policy, const char *value, char why[VALUES_WHY_MAX])
{
	uint64_t number;

	if (!value_count(value, 0, TOPIC_RATE_MAX, &number, why))
		return false;
	policy->rate = (uint32_t)number;
	return true;
}

static bool
topic_set_retain(
    struct policy *policy, const char *value, char why[VALUES_WHY_MAX])
{
	policy->retain = strcmp(value, "yes") == 0;
	if (policy->retain || strcmp(value, "no") == 0)
		return true;
	snprintf(why, VALUES_WHY_MAX, "must be yes or no");
	return false;
}

static bool
topic_set_ttl(
    struct policy *policy, const char *value, char why[VALUES_WHY_MAX])
{
	uint64_t number;

	if (!value_count(value, 0, POLICY_TTL_MAX, &number, why))
		return false;
	policy->ttl_s = (uint32_t)number;
	return true;
}

const struct topic_setting topic_settings[POLICY_KEYS] = {
	[POLICY_HISTORY] = {
	    .name = "history",
	    .arg = "N",
	    .initial = "as many as the ring has",
	    .help = "how many past messages clients can have: by `history`, "
		    "and when they resume",
	    .set = topic_set_history,
	},
	[POLICY_OVERFLOW] = {
	    .name = "overflow",
	    .arg = "client|drop|latest|close",
	    .initial = "client",
	    .help = "what happens when one of these messages finds a client's "
		    "buffer full, whatever `?overflow=` says; `client`: as it "
		    "says",
	    .set = topic_set_overflow,
	},
	[POLICY_RATE] = {
	    .name = "rate",
	    .arg = "N",
	    .initial = "0",
	    .help = "messages per second that may be published to one topic, "
		    "by all clients together; 0: any number",
	    .set = topic_set_rate,
	},
	[POLICY_RETAIN] = {
	    .name = "retain",
	    .arg = "yes|no",
	    .initial = "no",
	    .help = "whether each message is its topic's last value, unless "
		    "its publisher says otherwise; an empty one clears it. "
		    "Not with `--cluster`",
	    .set = topic_set_retain,
	},
	[POLICY_TTL] = {
	    .name = "ttl",
	    .arg = "SECONDS",
	    .initial = "0",
	    .help = "how long later subscribers may get a message, unless its "
		    "publisher says another time; 0: as long as there is "
		    "room. Not with `--cluster`",
	    .set = topic_set_ttl,
	},
};

const struct topic_setting *
topic_setting_find(const char *name)
{
	for (size_t i = 0; i < POLICY_KEYS; i++)
		if (strcmp(topic_settings[i].name, name) == 0)
			return &topic_settings[i];
	return NULL;
}
