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
#include "common/jwt_make.h"
#include "common/jwt_sign.h"

#include <stdio.h>

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

/* Print a token.  Returns false, having said why. */
static bool
token_print(
    const struct cli_token_options *options, const struct jwt_signer *signer)
{
	struct jwt_wish wish = {
		.alg = options->alg,
		.kid = options->kid,
		.sub = options->sub,
		.iss = options->iss,
		.info = options->info,
		.aud = options->aud,
		.aud_count = options->aud_count,
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
	struct jwt_signer signer;
	bool ok;

	if (!token_read_key(cli->token.key_path, &signer))
		return EXIT_STATUS_FAILED;
	ok = token_print(&cli->token, &signer);
	jwt_signer_fini(&signer);
	return ok ? report_printed() : EXIT_STATUS_FAILED;
}
