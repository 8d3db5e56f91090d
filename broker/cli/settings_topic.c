/* SPDX-License-Identifier: MIT */
/* settings_topic.c - see settings_topic.h. */

#include "broker/cli/settings_topic.h"

#include "broker/cli/topic_table.h"

#include <stdio.h>
#include <string.h>

/* The line of the section with this pattern, or 0. */
static unsigned
section_line_of(const struct cli *cli, const char *pattern, size_t len)
{
	const struct policies *policies = &cli->config.policies;

	for (uint32_t i = 0; i < policies->count; i++)
		if (policies->sections[i].pattern_len == len &&
		    memcmp(policies->sections[i].pattern, pattern, len) == 0)
			return cli->topics[i].line;
	return 0;
}

/* What is wrong with a section; NULL: nothing is.  Maybe in out. */
static const char *
section_check(const struct cli *cli, const struct conf_line *line,
    char out[CLI_ERROR_MAX])
{
	unsigned before;
	const char *why;

	if (strcmp(line->key, "topic") != 0)
		return "there is no such section; there is [topic \"PATTERN\"]";
	if (line->value == NULL)
		return "must be [topic \"PATTERN\"]";
	if (!pattern_valid(line->value, strlen(line->value), &why))
		return why;
	before = section_line_of(cli, line->value, strlen(line->value));
	if (before != 0) {
		snprintf(out, CLI_ERROR_MAX, "is in line %u already", before);
		return out;
	}
	return cli->config.policies.count == POLICIES_MAX
	           ? "there are 64 sections already"
	           : NULL;
}

bool
settings_begin_section(
    struct cli *cli, const struct conf_line *line, char why[CLI_ERROR_MAX])
{
	struct policies *policies = &cli->config.policies;
	struct policy_section *section;
	char reason[CLI_ERROR_MAX];
	const char *fault = section_check(cli, line, reason);

	if (fault != NULL) {
		snprintf(why, CLI_ERROR_MAX, "[%.20s%s%.200s%s]: %.200s",
		    line->key, line->value != NULL ? " \"" : "",
		    line->value != NULL ? line->value : "",
		    line->value != NULL ? "\"" : "", fault);
		return false;
	}
	cli->topics[policies->count].line = line->number;
	section = &policies->sections[policies->count++];
	section->said = 0;
	section->says = policy_default;
	section->pattern_len = (uint8_t)strlen(line->value);
	memcpy(section->pattern, line->value, section->pattern_len);
	return true;
}

/* Say that there is no such setting, and which there are. */
static bool
section_no_setting(const char *name, char why[CLI_ERROR_MAX])
{
	snprintf(why, CLI_ERROR_MAX,
	    "%s: is nothing that can be said of topics: there are", name);
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		size_t len = strlen(why);

		snprintf(why + len, CLI_ERROR_MAX - len, "%s %s",
		    i > 0 ? "," : "", topic_settings[i].name);
	}
	return false;
}

bool
settings_apply_in_section(
    struct cli *cli, const struct conf_line *line, char why[CLI_ERROR_MAX])
{
	uint32_t last = cli->config.policies.count - 1;
	struct policy_section *section = &cli->config.policies.sections[last];
	const struct topic_setting *setting = topic_setting_find(line->key);
	struct cli_topic_said *said;
	char reason[VALUES_WHY_MAX];

	if (setting == NULL)
		return section_no_setting(line->key, why);
	said = &cli->topics[last].said[topic_setting_key(setting)];
	if (said->line != 0)
		snprintf(why, CLI_ERROR_MAX, "%s: is in line %u already",
		    line->key, said->line);
	else if (!setting->set(&section->says, line->value, reason))
		snprintf(why, CLI_ERROR_MAX, "%s %.200s: %s", line->key,
		    line->value, reason);
	else {
		*said = (struct cli_topic_said){ .line = line->number,
			.value = line->value };
		section->said |= 1u << topic_setting_key(setting);
		return true;
	}
	return false;
}
