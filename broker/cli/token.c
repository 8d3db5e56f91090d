/* SPDX-License-Identifier: MIT */
/*
 * token.c - see token.h.
 *
 * What is secret, the file's text and the key made of it, is overwritten before
 * the command ends.  The token is printed because that is the command's purpose.
 */

#include "broker/cli/token.h"

#include "broker/host/small_file.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/grants.h"
#include "common/jwt_make.h"
#include "common/jwt_sign.h"

#include <stdio.h>
#include <string.h>

/* Read the signing key.  Returns false, having said why. */
static bool
token_read_key(const char *path, struct jwt_signer *signer)
{
	char file_why[SMALL_FILE_WHY_MAX];
	const char *why = file_why;
	struct small_file file;
	bool ok = false;

	if (small_file_read(&file, path, JWK_TEXT_MAX, true, file_why)) {
		ok = jwt_signer_read(signer, file.text, file.len, &why);
		small_file_wipe(&file);
	}
	if (!ok)
		report_failure(EXIT_STATUS_FAILED, "--key %s: %s", path, why);
	return ok;
}

/* Append what the token grants.  Returns false, having said why. */
static bool
token_put_grants(const struct cli_token_options *options, struct buf *json)
{
	const char *sub = options->sub != NULL ? options->sub : "", *why = "";
	struct grants said = { 0 }, meant = { 0 };
	bool ok = true;

	for (size_t i = 0; ok && i < options->grant_count; i++)
		ok = grants_add_text(&said, options->grants[i],
		    strlen(options->grants[i]), true, &why);
	grants_add_for(&meant, &said, sub, strlen(sub));
	if (ok && meant.count != said.count) {
		why = "{sub} stands for --sub, a name of one level, and leaves "
		      "at most 255 bytes";
		ok = false;
	}
	if (ok)
		grants_put_object(&meant, json);
	else
		report_failure(EXIT_STATUS_USAGE, "--grant: %s", why);
	grants_fini(&said);
	grants_fini(&meant);
	return ok;
}

/* Print a token.  Returns false, having said why. */
static bool
token_print(const struct cli_token_options *options,
    const struct jwt_signer *signer, const char *grants)
{
	struct jwt_wish wish = {
		.alg = options->alg,
		.kid = options->kid,
		.sub = options->sub,
		.iss = options->iss,
		.info = options->info,
		.aud = options->aud,
		.aud_count = options->aud_count,
		.grants = options->grant_count > 0 ? grants : NULL,
		.now_s = clock_wall_ms() / 1000,
	};
	struct buf token;
	const char *why;
	bool ok;

	wish.exp_s = wish.now_s + options->expires_s;
	buf_init(&token);
	ok = jwt_make(signer, &wish, &token, &why);
	if (ok)
		printf("%.*s\n", (int)token.len, token.at);
	else
		report_failure(EXIT_STATUS_FAILED, "%s", why);
	buf_fini(&token);
	return ok;
}

enum exit_status
cli_token(const struct cli *cli)
{
	enum exit_status status = EXIT_STATUS_FAILED;
	struct jwt_signer signer;
	struct buf grants;

	buf_init(&grants);
	if (!token_put_grants(&cli->token, &grants)) {
		status = EXIT_STATUS_USAGE;
	} else if (token_read_key(cli->token.key_path, &signer)) {
		buf_add(&grants, "", 1);
		if (token_print(&cli->token, &signer, grants.at))
			status = report_printed();
		jwt_signer_fini(&signer);
	}
	buf_fini(&grants);
	return status;
}
