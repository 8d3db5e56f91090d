/* SPDX-License-Identifier: MIT */
/*
 * ip.h - IP addresses and networks as numbers, without ports.
 *
 * An IPv4 address is kept as IPv6 maps it (::ffff:192.0.2.1; RFC 4291, 2.5.5.2),
 * so a client is the same whether it came through an IPv4 socket or through one
 * that serves both.  Text is numeric; nothing here asks the network.
 */

#ifndef COMMON_IP_H
#define COMMON_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_TEXT_MAX 46 /* bytes of a formatted address, NUL included */

struct ip_address {
	unsigned char at[16];
};

struct ip_network {
	struct ip_address address; /* bits behind the prefix are 0 */
	uint8_t prefix;            /* bits, of 128 */
};

/* Who comes by a unix socket has no address: the unspecified one stands for all
 * of them. */
#define IP_OF_UNIX_SOCKETS \
	{                  \
		{          \
			0  \
		}          \
	}

/* That of a socket's address.  Returns false if its family has none. */
bool ip_from_sockaddr(
    struct ip_address *ip, const struct sockaddr_storage *from);

/* That of 4 or 16 bytes in network order. */
void ip_from_bytes(struct ip_address *ip, const void *bytes, size_t len);

/* Parse so many bytes: an IPv4 or an IPv6 address, the latter without brackets
 * and without a zone.  Returns false if it is none. */
bool ip_parse(struct ip_address *ip, const char *text, size_t len);

/* Write it; IPv4 as such, and "unix" for those of unix sockets.  Returns out. */
const char *ip_format(const struct ip_address *ip, char out[IP_TEXT_MAX]);

/* Whether it is an IPv4 address. */
bool ip_is_v4(const struct ip_address *ip);

/* Whether it is 127.0.0.0/8 or ::1. */
bool ip_is_loopback(const struct ip_address *ip);

/* Whether it is 0.0.0.0 or ::, which no host has. */
bool ip_is_unspecified(const struct ip_address *ip);

bool ip_equal(const struct ip_address *a, const struct ip_address *b);

/* Parse ADDRESS/PREFIX, or an address alone, which is a network of one.  Returns
 * NULL, or what was wrong with it (a constant string). */
const char *ip_network_parse(struct ip_network *network, const char *text);

/* Whether one of these networks has the address. */
bool ip_is_among(const struct ip_address *ip, const struct ip_network *networks,
    size_t count);

#endif
