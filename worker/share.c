/* SPDX-License-Identifier: MIT */
/* share.c - see share.h. */

#include "worker/share.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define uthash_fatal(why) BUG(why)
#include <uthash.h>

#define SHARE_KEY 8 /* bytes: an IPv4 address, or an IPv6 network */

struct share {
	UT_hash_handle hh;
	uint32_t count;
	unsigned char key[SHARE_KEY];
};

/* An IPv4 address, also when it came mapped into IPv6 (RFC 4291, 2.5.5.2). */
static bool
share_ipv4(const struct sockaddr_storage *peer, struct in_addr *v4)
{
	const struct sockaddr_in6 *in6 = (const void *)peer;

	if (peer->ss_family == AF_INET) {
		*v4 =
		    ((const struct sockaddr_in *)(const void *)peer)->sin_addr;
		return true;
	}
	if (!IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return false;
	memcpy(v4, in6->sin6_addr.s6_addr + 12, sizeof(*v4));
	return true;
}

bool
share_is_exempt(const struct sockaddr_storage *peer)
{
	const struct sockaddr_in6 *in6 = (const void *)peer;
	struct in_addr v4;

	if (share_ipv4(peer, &v4))
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

struct share *
share_take(struct share **shares, const struct sockaddr_storage *peer)
{
	const struct sockaddr_in6 *in6 = (const void *)peer;
	unsigned char key[SHARE_KEY] = { 0 };
	struct share *share;
	struct in_addr v4;

	/* No IPv6 network starts with four zero bytes and is routed. */
	if (share_ipv4(peer, &v4))
		memcpy(key + 4, &v4, 4);
	else
		memcpy(key, in6->sin6_addr.s6_addr, SHARE_KEY);
	HASH_FIND(hh, *shares, key, SHARE_KEY, share);
	if (share == NULL) {
		share = xcalloc(1, sizeof(*share));
		memcpy(share->key, key, SHARE_KEY);
		HASH_ADD(hh, *shares, key, SHARE_KEY, share);
	}
	share->count++;
	return share;
}

void
share_give(struct share **shares, struct share *share)
{
	if (--share->count > 0)
		return;
	HASH_DEL(*shares, share);
	free(share);
}

uint32_t
share_count(const struct share *share)
{
	return share->count;
}
