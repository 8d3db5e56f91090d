/* SPDX-License-Identifier: MIT */
/*
 * fuzz_web.c - addresses, hosts, origins and URLs.
 *
 * One text is read as each of them.  An address is written as it is read; what
 * an operator may allow, a request can match; nothing of a URL that a client
 * accepts can end a line of its request.
 */

#include "common/url.h"
#include "broker/cli/option_values.h"
#include "common/address.h"
#include "common/web.h"
#include "tests/fuzz/fuzz.h"
#include "worker/access/origin.h"

static void
check_address(const char *text)
{
	struct config_address address, again;
	char out[ADDRESS_TEXT_MAX];

	if (address_parse(&address, text) != NULL)
		return;
	CHECK(address.len <= sizeof(address.addr));
	CHECK(address_parse(&again, address_format(&address, out)) == NULL);
	CHECK(address_equal(&address, &again));
	CHECK(address_port(&address) == address_port(&again));
}

/* Parsed the same whatever the case of its letters. */
static void
check_host(const char *text, size_t len)
{
	char *upper = fuzz_copy(text, len);
	struct http_text as_is = { text, len }, other = { upper, len };
	struct web_host a, b;
	bool ok = web_host_parse(&as_is, &a);

	for (size_t i = 0; i < len; i++)
		if (upper[i] >= 'a' && upper[i] <= 'z')
			upper[i] = (char)(upper[i] - 'a' + 'A');
	CHECK(web_host_parse(&other, &b) == ok);
	if (ok) {
		CHECK(a.name.len > 0);
		CHECK(fuzz_within(a.name.at, a.name.len, text, len));
		CHECK(a.port >= WEB_PORT_NONE && a.port <= UINT16_MAX);
		CHECK(a.port == b.port && a.is_loopback == b.is_loopback);
		CHECK(web_host_equal(&a, &b) && web_host_equal(&b, &a));
	}
	free(upper);
}

/* What the options accept is of use: a request with it is let in. */
static void
check_allowed(const char *text)
{
	struct http_request req = { .minor_version = 1, .headers_len = 2 };
	struct config config = { .allow_origin_count = 1 };
	char why[VALUES_WHY_MAX];
	struct http_text value = { text, strlen(text) };
	struct web_origin origin;

	req.host = (struct http_text){ "elsewhere.example", 17 };
	req.headers[0].name = (struct http_text){ "Host", 4 };
	req.headers[0].value = req.host;
	req.headers[1].name = (struct http_text){ "Origin", 6 };
	req.headers[1].value = value;
	config.allow_origin[0] = text;
	if (value_origin(text, why) && strcmp(text, "*") != 0) {
		/* The slash that may be behind it is none of a page's. */
		if (strcmp(text, "null") != 0 &&
		    !web_origin_parse(&value, &origin))
			req.headers[1].value.len--;
		CHECK(origin_check(&config, &req) == ORIGIN_OK);
	}

	config.allow_origin_count = 0;
	config.allow_host[0] = text;
	config.allow_host_count = 1;
	req.host = value;
	if (value_host(text, why) && strcmp(text, "*") != 0)
		CHECK(origin_check_host(&config, &req, true) == ORIGIN_OK);
}

/* A page's Origin: without any list only its own host lets it in. */
static void
check_origin(const char *text, size_t len)
{
	struct http_text value = { text, len };
	struct http_request req = { .minor_version = 1, .headers_len = 1 };
	const struct config config = { 0 };
	struct web_origin origin;

	if (web_origin_parse(&value, &origin)) {
		CHECK(web_origin_equal(&origin, &origin));
		CHECK(origin.scheme.len > 0);
	}
	req.host = (struct http_text){ "here.example:8000", 17 };
	req.headers[0].name = (struct http_text){ "Origin", 6 };
	req.headers[0].value = value;
	if (origin_check(&config, &req) == ORIGIN_OK)
		CHECK(memmem(text, len, "//", 2) != NULL &&
		      len >= sizeof("ws://here.example:8000") - 1);
}

static void
check_line(const char *text)
{
	for (; *text != '\0'; text++)
		CHECK(*text > ' ' && *text <= '~');
}

static void
check_url(const char *text)
{
	struct url url;

	if (url_parse(&url, text) != NULL)
		return;
	CHECK(url.host[0] != '\0' && url.endpoint[0] == '/');
	url_add(&url, "buffer", "65536");
	url_add(&url, "overflow", "close");
	check_line(url.authority);
	check_line(url.host);
	check_line(url.port);
	check_line(url.base);
	check_line(url.endpoint);
	CHECK(strchr(url.endpoint, '#') == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	check_address(text);
	check_host(text, strlen(text));
	check_origin((const char *)data, size);
	check_allowed(text);
	check_url(text);
	free(text);
	return 0;
}
