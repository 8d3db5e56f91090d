/* SPDX-License-Identifier: MIT */
/* policy.c - see policy.h. */

#include "common/policy.h"

#include <string.h>

const struct policy policy_default = { .history = POLICY_HISTORY_ALL };

/* Take over one value. */
static void
policy_take(
    struct policy *policy, const struct policy *says, enum policy_key key)
{
	switch (key) {
	case POLICY_HISTORY:
		policy->history = says->history;
		break;
	case POLICY_OVERFLOW:
		policy->overflow = says->overflow;
		break;
	case POLICY_RATE:
		policy->rate = says->rate;
		break;
	case POLICY_RETAIN:
		policy->retain = says->retain;
		break;
	case POLICY_TTL:
		policy->ttl_s = says->ttl_s;
		break;
	case POLICY_KEYS:
		break;
	}
}

void
policies_look_up(const struct policies *policies, const char *name, size_t len,
    struct policy *policy)
{
	*policy = policy_default;
	for (uint32_t i = 0; i < policies->count; i++) {
		const struct policy_section *section = &policies->sections[i];

		if (!pattern_matches(
			section->pattern, section->pattern_len, name, len))
			continue;
		for (unsigned key = 0; key < POLICY_KEYS; key++)
			if ((section->said & 1u << key) != 0)
				policy_take(policy, &section->says,
				    (enum policy_key)key);
	}
}

static bool
policy_equal(const struct policy *a, const struct policy *b)
{
	return a->history == b->history && a->overflow == b->overflow &&
	       a->rate == b->rate && a->retain == b->retain &&
	       a->ttl_s == b->ttl_s;
}

bool
policies_equal(const struct policies *a, const struct policies *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct policy_section *s = &a->sections[i];
		const struct policy_section *t = &b->sections[i];

		if (s->said != t->said || s->pattern_len != t->pattern_len ||
		    memcmp(s->pattern, t->pattern, s->pattern_len) != 0 ||
		    !policy_equal(&s->says, &t->says))
			return false;
	}
	return true;
}
