/* SPDX-License-Identifier: MIT */
/* proxy_header.c - see proxy_header.h. */

#include "common/proxy_header.h"

#include "common/crc32c.h"
#include "common/http_text.h"

#include <stdint.h>
#include <string.h>

/* Version 1 (proxy-protocol.txt, 2.1). */
#define PROXY_V1_MAX    107u /* bytes, the end of the line included */
#define PROXY_V1_PREFIX "PROXY "

/* Version 2 (2.2). */
#define PROXY_V2_HEAD      16u
#define PROXY_V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define PROXY_V2_VERSION   0x20
#define PROXY_V2_LOCAL     0x0
#define PROXY_V2_PROXY     0x1

/* Type-length-value behind the addresses. */
#define PROXY_TLV_HEAD   3u
#define PROXY_TLV_CRC32C 0x03

static enum proxy_header_status
proxy_bad(struct proxy_header *header, const char *why)
{
	header->why = why;
	return PROXY_HEADER_BAD;
}

/* A decimal number up to 65535, without a zero in front. */
static bool
proxy_is_port(const struct http_text *text)
{
	uint32_t port = 0;

	if (text->len == 0 || text->len > 5 ||
	    (text->at[0] == '0' && text->len > 1))
		return false;
	for (size_t i = 0; i < text->len; i++) {
		if (text->at[i] < '0' || text->at[i] > '9')
			return false;
		port = port * 10 + (uint32_t)(text->at[i] - '0');
	}
	return port <= UINT16_MAX;
}

/* An address of the family that the line names. */
static bool
proxy_parse_address(
    const struct http_text *text, bool v6, struct ip_address *ip)
{
	return ip_parse(ip, text->at, text->len) && !ip_is_unspecified(ip) &&
	       (memchr(text->at, ':', text->len) != NULL) == v6;
}

/* A line without its end and its prefix. */
static enum proxy_header_status
proxy_parse_line(struct http_text line, struct proxy_header *header)
{
	struct http_text family = http_text_take(&line, ' ');
	bool v6 = http_text_equal(&family, "TCP6");
	struct http_text source, destination, ports[2];
	struct ip_address other;

	if (http_text_equal(&family, "UNKNOWN"))
		return PROXY_HEADER_OK;
	if (!v6 && !http_text_equal(&family, "TCP4"))
		return proxy_bad(header, "neither TCP4, TCP6 nor UNKNOWN");
	source = http_text_take(&line, ' ');
	destination = http_text_take(&line, ' ');
	ports[0] = http_text_take(&line, ' ');
	ports[1] = line;
	if (!proxy_parse_address(&source, v6, &header->client) ||
	    !proxy_parse_address(&destination, v6, &other))
		return proxy_bad(header, "no address of that family");
	if (!proxy_is_port(&ports[0]) || !proxy_is_port(&ports[1]))
		return proxy_bad(header, "no port");
	header->has_address = true;
	return PROXY_HEADER_OK;
}

static enum proxy_header_status
proxy_parse_v1(const char *data, size_t len, struct proxy_header *header)
{
	const size_t prefix = strlen(PROXY_V1_PREFIX);
	size_t look = len < PROXY_V1_MAX ? len : PROXY_V1_MAX;
	const char *end = memchr(data, '\n', look);

	if (end == NULL)
		return look == PROXY_V1_MAX
		           ? proxy_bad(header, "a line that is too long")
		           : PROXY_HEADER_PARTIAL;
	header->len = (size_t)(end + 1 - data);
	if (header->len < prefix + 2 || end[-1] != '\r')
		return proxy_bad(header, "a line that does not end by CR LF");
	return proxy_parse_line(
	    (struct http_text){ data + prefix, header->len - prefix - 2 },
	    header);
}

static size_t
proxy_u16(const unsigned char *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* Whether the header's checksum, which lies at this place, is right.  It is made
 * with zeros in its own place. */
static bool
proxy_is_intact(const unsigned char *data, size_t len, size_t at)
{
	static const unsigned char zeros[4];
	uint32_t told = (uint32_t)proxy_u16(data + at) << 16 |
	                (uint32_t)proxy_u16(data + at + 2);
	uint32_t crc = crc32c(0, data, at);

	crc = crc32c(crc, zeros, sizeof(zeros));
	return crc32c(crc, data + at + 4, len - at - 4) == told;
}

/* Go through what stands from here to the end of the header. */
static enum proxy_header_status
proxy_parse_tlvs(
    const unsigned char *data, size_t at, struct proxy_header *header)
{
	size_t len, checksum = 0;

	for (; at < header->len; at += len) {
		if (header->len - at < PROXY_TLV_HEAD)
			return proxy_bad(header, "half a TLV");
		len = PROXY_TLV_HEAD + proxy_u16(data + at + 1);
		if (header->len - at < len)
			return proxy_bad(header, "a TLV that is too long");
		if (data[at] != PROXY_TLV_CRC32C)
			continue;
		if (len != PROXY_TLV_HEAD + 4 || checksum != 0)
			return proxy_bad(header, "two checksums, or half one");
		checksum = at + PROXY_TLV_HEAD;
	}
	if (checksum != 0 && !proxy_is_intact(data, header->len, checksum))
		return proxy_bad(header, "a wrong checksum");
	return PROXY_HEADER_OK;
}

/* Take the source's address; what follows both addresses is TLVs. */
static enum proxy_header_status
proxy_parse_client(const unsigned char *data, struct proxy_header *header)
{
	static const struct {
		unsigned char family; /* and that it is a stream */
		size_t addresses;     /* bytes, ports included */
		size_t ip;            /* of these, the source; 0: none of IP */
	} families[] = {
		{ 0x11, 12, 4 },  /* TCP over IPv4 */
		{ 0x21, 36, 16 }, /* TCP over IPv6 */
		{ 0x31, 216, 0 }, /* a unix socket */
	};
	const unsigned char *at = data + PROXY_V2_HEAD;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (data[13] != families[i].family)
			continue;
		if (header->len - PROXY_V2_HEAD < families[i].addresses)
			return proxy_bad(header, "no room for the addresses");
		header->has_address = families[i].ip != 0;
		if (header->has_address)
			ip_from_bytes(&header->client, at, families[i].ip);
		if (header->has_address && ip_is_unspecified(&header->client))
			return proxy_bad(header, "no address");
		return proxy_parse_tlvs(
		    data, PROXY_V2_HEAD + families[i].addresses, header);
	}
	return proxy_bad(header, "a family that is no stream");
}

static enum proxy_header_status
proxy_parse_v2(const unsigned char *data, size_t len, size_t max,
    struct proxy_header *header)
{
	const unsigned char command = PROXY_V2_VERSION | PROXY_V2_PROXY;
	const unsigned char local = PROXY_V2_VERSION | PROXY_V2_LOCAL;

	if (len < PROXY_V2_HEAD)
		return PROXY_HEADER_PARTIAL;
	if (data[12] != command && data[12] != local)
		return proxy_bad(header, "another version or command");
	header->len = PROXY_V2_HEAD + proxy_u16(data + 14);
	if (header->len > max)
		return proxy_bad(header, "longer than --max-head");
	if (len < header->len)
		return PROXY_HEADER_PARTIAL;
	/* What else a proxy says for itself, or of nobody, is not looked at. */
	if (data[12] == local || data[13] == 0)
		return PROXY_HEADER_OK;
	return proxy_parse_client(data, header);
}

/* Whether data begins as this does, as far as it goes. */
static bool
proxy_begins(const void *data, size_t len, const char *with, size_t with_len)
{
	return memcmp(data, with, len < with_len ? len : with_len) == 0;
}

enum proxy_header_status
proxy_header_parse(
    const void *data, size_t len, size_t max, struct proxy_header *header)
{
	memset(header, 0, sizeof(*header));
	if (proxy_begins(data, len, PROXY_V2_SIGNATURE, 12))
		return proxy_parse_v2(data, len, max, header);
	if (!proxy_begins(data, len, PROXY_V1_PREFIX, 6))
		return proxy_bad(header, "something else");
	return len < 6 ? PROXY_HEADER_PARTIAL
	               : proxy_parse_v1(data, len, header);
}
