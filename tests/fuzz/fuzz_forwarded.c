/* SPDX-License-Identifier: MIT */
/*
 * fuzz_forwarded.c - what proxies say of the client; each line of the input is a
 * header, X-Forwarded-For where it begins with "x", else Forwarded.
 *
 * The client that is found is named in the text, or was trusted to be named; and
 * it is found as well where a client has put anything in front of what its proxy
 * says.
 */

#include "common/forwarded.h"
#include "tests/fuzz/fuzz.h"

#define LINES_MAX 8u

static struct ip_network trusted[2];

static void
add_header(struct http_request *req, char *line)
{
	bool is_common = line[0] == 'x';
	const char *name = is_common ? "X-Forwarded-For" : "Forwarded";
	struct http_text value = { line + is_common, strlen(line + is_common) };

	http_text_trim(&value);
	req->headers[req->headers_len++] =
	    (struct http_header){ { name, strlen(name) }, value };
}

/* A trusted proxy appends a client that is not: nothing in front matters. */
static void
check_appended(const struct http_request *req)
{
	static const char told[] = "203.0.113.9", element[] = "for=203.0.113.9";
	struct http_request more = *req;
	struct ip_address client, wanted;
	bool has_common = false, has_standard = false;

	for (size_t i = 0; i < req->headers_len; i++)
		if (req->headers[i].name.at[0] == 'X')
			has_common = true;
		else
			has_standard = true;
	if (has_common)
		more.headers[more.headers_len++] =
		    (struct http_header){ { "X-Forwarded-For", 15 },
			    { told, sizeof(told) - 1 } };
	if (has_standard)
		more.headers[more.headers_len++] =
		    (struct http_header){ { "Forwarded", 9 },
			    { element, sizeof(element) - 1 } };
	CHECK(ip_parse(&wanted, told, sizeof(told) - 1));
	if (!has_common && !has_standard)
		return;
	CHECK(forwarded_client(&more, trusted, 2, &client) == FORWARDED_OK);
	CHECK(ip_equal(&client, &wanted));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text, *line;
	struct http_request req = { .headers_len = 0 };
	struct ip_address client;
	struct ip_network network;
	char written[IP_TEXT_MAX];

	CHECK(ip_network_parse(&trusted[0], "10.0.0.0/8") == NULL);
	CHECK(ip_network_parse(&trusted[1], "2001:db8::/32") == NULL);
	if (ip_network_parse(&network, text) == NULL)
		CHECK(ip_is_among(&network.address, &network, 1));
	while (
	    req.headers_len < LINES_MAX && (line = strsep(&rest, "\n")) != NULL)
		add_header(&req, line);
	if (forwarded_client(&req, trusted, 2, &client) == FORWARDED_OK) {
		struct ip_address again;

		CHECK(!ip_is_unspecified(&client));
		ip_format(&client, written);
		CHECK(ip_parse(&again, written, strlen(written)));
		CHECK(ip_equal(&client, &again));
	}
	check_appended(&req);
	free(text);
	return 0;
}
