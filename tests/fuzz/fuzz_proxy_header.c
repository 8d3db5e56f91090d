/* SPDX-License-Identifier: MIT */
/*
 * fuzz_proxy_header.c - the header of the PROXY protocol.
 *
 * A header ends within the input, and nothing behind it matters.  What is whole
 * was partial at every byte before; what is bad stays so with more bytes.
 */

#include "common/proxy_header.h"
#include "tests/fuzz/fuzz.h"

#define MAX 1024u

/* Parse so many bytes that lie in a block of their own. */
static enum proxy_header_status
parse(const uint8_t *data, size_t len, struct proxy_header *header)
{
	char *copy = fuzz_copy(data, len);
	enum proxy_header_status status =
	    proxy_header_parse(copy, len, MAX, header);

	CHECK((status == PROXY_HEADER_BAD) == (header->why != NULL));
	if (status == PROXY_HEADER_OK)
		CHECK(header->len > 0 && header->len <= len &&
		      header->len <= MAX);
	if (status == PROXY_HEADER_PARTIAL)
		CHECK(len < MAX);
	free(copy);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum proxy_header_status now, before = PROXY_HEADER_PARTIAL;
	struct proxy_header header, first = { .len = 0 };

	for (size_t len = 0; len <= size && len <= MAX + 2; len++) {
		now = parse(data, len, &header);
		if (before == PROXY_HEADER_BAD)
			CHECK(now == PROXY_HEADER_BAD);
		if (before == PROXY_HEADER_OK)
			CHECK(now == PROXY_HEADER_OK &&
			      header.len == first.len &&
			      header.has_address == first.has_address &&
			      ip_equal(&header.client, &first.client));
		else if (now == PROXY_HEADER_OK)
			CHECK(header.len == len);
		first = header;
		before = now;
	}
	return 0;
}
