/* SPDX-License-Identifier: MIT */
/* credential.c - see credential.h. */

#include "worker/access/credential.h"

#include <string.h>
#include <strings.h>

/* What follows a scheme and its spaces. */
static bool
credential_of_scheme(const struct http_text *value, const char *scheme,
    struct http_text *credential)
{
	size_t len = strlen(scheme);

	if (value->len < len || strncasecmp(value->at, scheme, len) != 0 ||
	    (value->len > len && value->at[len] != ' '))
		return false;
	while (len < value->len && value->at[len] == ' ')
		len++;
	*credential = (struct http_text){ value->at + len, value->len - len };
	return true;
}

enum credential_status
credential_find(const struct http_request *req, struct http_text *credential)
{
	const struct http_text *line = http_header_find(req, "Authorization");

	if (line == NULL || !credential_of_scheme(line, "Bearer", credential))
		return CREDENTIAL_NONE;
	return credential->len > 0 &&
	               http_header_count(req, "Authorization") == 1
	           ? CREDENTIAL_FOUND
	           : CREDENTIAL_AMBIGUOUS;
}
