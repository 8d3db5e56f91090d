/* SPDX-License-Identifier: MIT */
/* topic_table.h - what a section [topic "PATTERN"] of the configuration file can
 * say, as data. */

#ifndef BROKER_CLI_TOPIC_TABLE_H
#define BROKER_CLI_TOPIC_TABLE_H

#include "broker/cli/option_values.h"
#include "common/policy.h"

struct topic_setting {
	const char *name;
	const char *arg;     /* what stands for its value */
	const char *initial; /* what holds where no section says it, in words */
	const char *help;    /* as of an option, with backticks around code */
	/* Put the value where it belongs, or say why not. */
	bool (*set)(
	    struct policy *policy, const char *value, char why[VALUES_WHY_MAX]);
};

/* By enum policy_key. */
extern const struct topic_setting topic_settings[POLICY_KEYS];

/* The setting of that name, or NULL. */
const struct topic_setting *topic_setting_find(const char *name);

/* Its key. */
static inline enum policy_key
topic_setting_key(const struct topic_setting *setting)
{
	return (enum policy_key)(setting - topic_settings);
}

#endif
