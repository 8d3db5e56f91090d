/* SPDX-License-Identifier: MIT */
/* option_set_ask.c - the options of conns and kick; see option_set.h. */

#include "broker/cli/option_set.h"
#include "broker/shared/ask.h"
#include "common/utf8.h"

#include <stdio.h>
#include <string.h>

/* WORKER.NUMBER */
bool
cli_set_conn(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	struct cli_asking_options *asking = &cli->asking;
	const char *dot = strchr(value, '.');
	char worker[8] = "";
	uint64_t slot;

	(void)option;
	if (dot != NULL && (size_t)(dot - value) < sizeof(worker))
		memcpy(worker, value, (size_t)(dot - value));
	if (dot == NULL ||
	    !value_count(worker, 0, LAYOUT_WORKERS - 1, &slot, why) ||
	    !value_count(
		dot + 1, 1, UINT64_MAX - 1, &asking->conn_number, why)) {
		snprintf(why, VALUES_WHY_MAX,
		    "is no id of a connection: WORKER.NUMBER, as 'conns' "
		    "prints it");
		return false;
	}
	asking->conn_worker = (unsigned)slot;
	return true;
}

/* A text of at most so many bytes of UTF-8. */
static bool
cli_set_short_text(
    const char **out, const char *value, size_t max, char why[VALUES_WHY_MAX])
{
	size_t len = strlen(value);

	if (len > max || !utf8_valid(value, len)) {
		snprintf(why, VALUES_WHY_MAX,
		    "must be UTF-8 of at most %zu bytes", max);
		return false;
	}
	*out = value;
	return true;
}

bool
cli_set_topic(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;
	return cli_set_short_text(
	    &cli->asking.topic, value, LAYOUT_TOPIC_NAME_MAX, why);
}

/* Nobody's name is empty: who has none cannot be meant. */
bool
cli_set_who(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;
	if (value[0] != '\0')
		return cli_set_short_text(
		    &cli->asking.user, value, ASK_USER_MAX, why);
	snprintf(
	    why, VALUES_WHY_MAX, "must be the name in a token, or of a key");
	return false;
}

bool
cli_set_message_key(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX])
{
	/* A line's number may stand behind it. */
	if (value[0] == '\0' || strlen(value) > CLI_MESSAGE_KEY_MAX ||
	    !utf8_valid(value, strlen(value))) {
		snprintf(why, VALUES_WHY_MAX, "must be UTF-8 of 1 to %u bytes",
		    CLI_MESSAGE_KEY_MAX);
		return false;
	}
	return cli_set_text(cli, option, value, why);
}

bool
cli_set_reason(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	(void)option;
	return cli_set_short_text(
	    &cli->asking.reason, value, ASK_REASON_MAX, why);
}
