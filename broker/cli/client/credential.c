/* SPDX-License-Identifier: MIT */
/* credential.c - see credential.h. */

#include "broker/cli/client/credential.h"

#include "broker/host/small_file.h"
#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands before it in a line. */
#define CREDENTIAL_NAME "Authorization: Bearer "

/* Note why there is none, and be false. */
#define credential_fail(why, ...) \
	(snprintf((why), CREDENTIAL_WHY_MAX, __VA_ARGS__), false)

/* Bytes of text without white space at its end, as an editor leaves it. */
static size_t
credential_trim(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL &&
	       text[len - 1] != '\0')
		len--;
	return len;
}

/* Whether text is what can stand behind "Bearer" (RFC 6750, 2.1). */
static const char *
credential_fault(const char *text, size_t len)
{
	if (len == 0)
		return "is empty";
	if (len > CREDENTIAL_MAX)
		return "is longer than 8 KiB";
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] == 0x7f ||
		    (unsigned char)text[i] >= 0x80)
			return "holds more than one word of ASCII";
	return NULL;
}

/* Append a text that has come from somewhere. */
static bool
credential_take(const char *option, const char *from, const char *text,
    size_t len, struct buf *buf, char why[CREDENTIAL_WHY_MAX])
{
	const char *fault;

	len = credential_trim(text, len);
	fault = credential_fault(text, len);
	if (fault != NULL)
		return credential_fail(
		    why, "--%s %.200s: %s", option, from, fault);
	buf_add(buf, text, len);
	return true;
}

static bool
credential_from_file(const char *option, const char *path, struct buf *buf,
    char why[CREDENTIAL_WHY_MAX])
{
	char file_why[SMALL_FILE_WHY_MAX];
	struct small_file file;
	bool ok;

	if (!small_file_read(
		&file, path, CREDENTIAL_MAX + 1024, true, file_why))
		return credential_fail(
		    why, "--%s %.140s: %s", option, path, file_why);
	ok = credential_take(option, path, file.text, file.len, buf, why);
	small_file_wipe(&file);
	return ok;
}

static bool
credential_from_environment(
    const char *name, struct buf *buf, char why[CREDENTIAL_WHY_MAX])
{
	const char *text = getenv(name);

	if (text == NULL)
		return credential_fail(why,
		    "--token-env %.200s: there is no such variable in the "
		    "environment",
		    name);
	return credential_take("token-env", name, text, strlen(text), buf, why);
}

bool
credential_read(const struct cli_client_options *options, struct buf *buf,
    char why[CREDENTIAL_WHY_MAX])
{
	if (options->token_path != NULL)
		return credential_from_file(
		    "token-file", options->token_path, buf, why);
	if (options->key_path != NULL)
		return credential_from_file(
		    "key-file", options->key_path, buf, why);
	if (options->token_variable != NULL)
		return credential_from_environment(
		    options->token_variable, buf, why);
	return true;
}

bool
credential_line(const struct cli_client_options *options, struct buf *buf,
    char why[CREDENTIAL_WHY_MAX])
{
	bool ok;

	credential_wipe(buf);
	buf_puts(buf, CREDENTIAL_NAME);
	ok = credential_read(options, buf, why);
	if (ok && buf->len > strlen(CREDENTIAL_NAME))
		buf_puts(buf, "\r\n");
	else
		buf_reset(buf);
	buf_add(buf, "", 1);
	return ok;
}

const char *
credential_of_line(const struct buf *line, size_t *len)
{
	size_t around = strlen(CREDENTIAL_NAME) + strlen("\r\n") + 1;

	*len = line->len > around ? line->len - around : 0;
	return *len > 0 ? line->at + strlen(CREDENTIAL_NAME) : "";
}

void
credential_wipe(struct buf *buf)
{
	if (buf->at != NULL)
		explicit_bzero(buf->at, buf->len);
	buf_fini(buf);
	buf_init(buf);
}
