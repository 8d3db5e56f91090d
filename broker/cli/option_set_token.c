/* SPDX-License-Identifier: MIT */
/* option_set_token.c - what a token is to say; see option_set.h. */

#include "broker/cli/option_set.h"

#include "common/json.h"
#include "common/jwk.h"
#include "common/jwt.h"
#include "common/utf8.h"

#include <stdio.h>
#include <string.h>

/* Say what is wrong.  Returns false. */
#define token_fail(why, ...) \
	(snprintf((why), VALUES_WHY_MAX, __VA_ARGS__), false)

/* Whether the value can be shown and logged, and is of at most max bytes. */
static bool
token_is_plain(const char *value, size_t max, char why[VALUES_WHY_MAX])
{
	if (!utf8_valid(value, strlen(value)))
		return token_fail(why, "is not UTF-8");
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return token_fail(why, "has a control character in it");
	if (strlen(value) > max)
		return token_fail(why, "is longer than %zu bytes", max);
	return true;
}

bool
cli_set_claim(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	return token_is_plain(value, option->max, why) &&
	       cli_set_text(cli, option, value, why);
}

bool
cli_set_aud(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	struct cli_token_options *token = &cli->token;

	if (!token_is_plain(value, option->max, why))
		return false;
	if (token->aud_count == CLI_TOKEN_AUD_MAX)
		return token_fail(
		    why, "is one too many: %d are allowed", CLI_TOKEN_AUD_MAX);
	token->aud[token->aud_count++] = value;
	return true;
}

bool
cli_set_info(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	size_t len = strlen(value), where;
	const char *reason;

	if (!utf8_valid(value, len))
		return token_fail(why, "is not UTF-8");
	if (json_check(value, len, &where, &reason) != JSON_OK)
		return token_fail(
		    why, "is not JSON: %s, at byte %zu", reason, where + 1);
	if (len > JWT_INFO_MAX)
		return token_fail(why, "is longer than %u bytes", JWT_INFO_MAX);
	if (!json_within_depth(value, len, JWT_INFO_DEPTH))
		return token_fail(
		    why, "is nested deeper than %u levels", JWT_INFO_DEPTH);
	return cli_set_text(cli, option, value, why);
}

bool
cli_set_alg(struct cli *cli, const struct option *option, const char *value,
    char why[VALUES_WHY_MAX])
{
	if (jwk_alg_named(value, strlen(value)) == 0)
		return token_fail(why,
		    "must be HS256, RS256, PS256, ES256, EdDSA or Ed25519");
	return cli_set_text(cli, option, value, why);
}
