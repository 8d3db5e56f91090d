/* SPDX-License-Identifier: MIT */
/* ip.c - see ip.h. */

#include "common/ip.h"

#include "common/bug.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Bits in front of an IPv4 address. */
#define IP_MAPPED_PREFIX 96

static const unsigned char ip_mapped[IP_MAPPED_PREFIX / 8] = {
	[10] = 0xff,
	[11] = 0xff,
};

void
ip_from_bytes(struct ip_address *ip, const void *bytes, size_t len)
{
	CHECK(len == 4 || len == sizeof(ip->at));
	memcpy(ip->at, ip_mapped, sizeof(ip_mapped));
	memcpy(ip->at + sizeof(ip->at) - len, bytes, len);
}

bool
ip_from_sockaddr(struct ip_address *ip, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *in = (const void *)from;
	const struct sockaddr_in6 *in6 = (const void *)from;

	if (from->ss_family == AF_INET)
		ip_from_bytes(ip, &in->sin_addr, sizeof(in->sin_addr));
	else if (from->ss_family == AF_INET6)
		ip_from_bytes(ip, &in6->sin6_addr, sizeof(in6->sin6_addr));
	else if (from->ss_family == AF_UNIX)
		*ip = (struct ip_address)IP_OF_UNIX_SOCKETS;
	else
		return false;
	return true;
}

bool
ip_parse(struct ip_address *ip, const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, ip->at) == 1)
		return true;
	if (inet_pton(AF_INET, copy, &v4) != 1)
		return false;
	ip_from_bytes(ip, &v4, sizeof(v4));
	return true;
}

const char *
ip_format(const struct ip_address *ip, char out[IP_TEXT_MAX])
{
	const void *v4 = ip->at + sizeof(ip_mapped);

	_Static_assert(IP_TEXT_MAX == INET6_ADDRSTRLEN, "no room for IPv6");
	if (ip_equal(ip, &(struct ip_address)IP_OF_UNIX_SOCKETS))
		snprintf(out, IP_TEXT_MAX, "unix");
	else if (ip_is_v4(ip))
		CHECK(inet_ntop(AF_INET, v4, out, IP_TEXT_MAX) != NULL);
	else
		CHECK(inet_ntop(AF_INET6, ip->at, out, IP_TEXT_MAX) != NULL);
	return out;
}

bool
ip_is_v4(const struct ip_address *ip)
{
	return memcmp(ip->at, ip_mapped, sizeof(ip_mapped)) == 0;
}

bool
ip_is_loopback(const struct ip_address *ip)
{
	static const struct ip_address v6 = { .at = { [15] = 1 } };

	return ip_is_v4(ip) ? ip->at[sizeof(ip_mapped)] == IN_LOOPBACKNET
	                    : ip_equal(ip, &v6);
}

bool
ip_is_unspecified(const struct ip_address *ip)
{
	static const struct ip_address none;
	static const struct ip_address v4 = { .at = { [10] = 0xff, 0xff } };

	return ip_equal(ip, &none) || ip_equal(ip, &v4);
}

bool
ip_equal(const struct ip_address *a, const struct ip_address *b)
{
	return memcmp(a->at, b->at, sizeof(a->at)) == 0;
}

/* Whether the first bits of both are the same. */
static bool
ip_has_prefix(
    const struct ip_address *a, const struct ip_address *b, uint8_t prefix)
{
	size_t whole = prefix / 8;
	unsigned char mask = (unsigned char)(0xff00u >> prefix % 8);

	return memcmp(a->at, b->at, whole) == 0 &&
	       (prefix % 8 == 0 || ((a->at[whole] ^ b->at[whole]) & mask) == 0);
}

/* Digits only, without a zero in front.  Returns -1 if it is no such number. */
static int
ip_parse_prefix(const char *text)
{
	int prefix = 0;
	size_t len = strlen(text);

	if (len == 0 || len > 3 || (text[0] == '0' && len > 1))
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		prefix = prefix * 10 + (*text - '0');
	}
	return prefix;
}

/* Whether no bit behind the prefix is set. */
static bool
ip_network_is_clean(const struct ip_network *network)
{
	struct ip_address clean = network->address;

	for (size_t bit = network->prefix; bit < 128; bit++)
		clean.at[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
	return ip_equal(&clean, &network->address);
}

const char *
ip_network_parse(struct ip_network *network, const char *text)
{
	const char *slash = strchrnul(text, '/');
	size_t len = (size_t)(slash - text);
	bool v4 = memchr(text, ':', len) == NULL;
	int most = v4 ? 32 : 128, prefix = most;

	if (!ip_parse(&network->address, text, len))
		return "must be an address or a network, such as 10.0.0.0/8 "
		       "or 2001:db8::/32";
	if (*slash != '\0')
		prefix = ip_parse_prefix(slash + 1);
	if (prefix < 0 || prefix > most)
		return v4 ? "has a prefix that is not a number from 0 to 32"
		          : "has a prefix that is not a number from 0 to 128";
	network->prefix = (uint8_t)(v4 ? prefix + IP_MAPPED_PREFIX : prefix);
	if (!ip_network_is_clean(network))
		return "is no network: bits behind its prefix are set";
	return NULL;
}

bool
ip_is_among(const struct ip_address *ip, const struct ip_network *networks,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ip_has_prefix(ip, &networks[i].address, networks[i].prefix))
			return true;
	return false;
}
