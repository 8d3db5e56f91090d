/* SPDX-License-Identifier: MIT */
/* listeners_urls.c - where a server listens, as text; see listeners.h. */

#include "broker/host/listeners.h"

#include "common/address.h"

#include <stdio.h>

/* What stands before an address in its URL. */
static const char *
listeners_scheme(const struct config_address *address)
{
	if (address_is_unix(address))
		return "";
	return address->tls ? "https://" : "http://";
}

const char *
listeners_urls(const struct listeners *listeners, const char *between,
    char out[LISTENERS_URLS_MAX])
{
	char text[ADDRESS_TEXT_MAX];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < listeners->count; i++) {
		size_t room = LISTENERS_URLS_MAX - len;
		int n =
		    snprintf(out + len, room, "%s%s%s%s", i == 0 ? "" : between,
			listeners_scheme(&listeners->address[i]),
			address_format(&listeners->address[i], text),
			listeners->address[i].proxy ? ",proxy" : "");

		if ((size_t)n >= room) {
			out[len] = '\0'; /* whole ones only */
			break;
		}
		len += (size_t)n;
	}
	return out;
}
