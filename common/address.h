/* SPDX-License-Identifier: MIT */
/*
 * address.h - "127.0.0.1:8000", "[::1]:8000" and "unix:/run/a", to socket
 * addresses and back.
 *
 * Only numeric addresses: a listener's name must mean the same today and after
 * a change of the resolver, and parsing one must not ask the network.
 */

#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_MAX 128 /* bytes of a formatted address, NUL included */

/*
 * Parse ADDR:PORT; an IPv6 address stands in brackets.  Port 0 is allowed.
 * Returns NULL, or what was wrong with it (a constant string).
 */
const char *address_parse(struct config_address *address, const char *text);

/*
 * Parse where to listen.  That is ADDR:PORT; or PORT, :PORT or localhost:PORT,
 * the loopback address, of IPv6 too if has_ipv6; or *:PORT, all addresses of
 * this host, likewise.  A host that is only said by leaving it out must not open
 * the server to the network, so what others take for all addresses is loopback.
 * Returns NULL with *count addresses in out, or what was wrong (a constant
 * string).
 */
#define ADDRESS_LISTEN_MAX 2u
const char *address_parse_listen(struct config_address out[ADDRESS_LISTEN_MAX],
    size_t *count, const char *text, bool has_ipv6);

/*
 * Parse "unix:PATH", a socket in the file system; its mode and owner are the
 * defaults.  The path is absolute, and of visible ASCII without a comma, so that
 * it can stand in lists.
 * Returns NULL, or what is wrong with it (a constant string).
 */
#define ADDRESS_UNIX      "unix:"
#define ADDRESS_UNIX_MODE 0660
const char *address_parse_unix(
    struct config_address *address, const char *text);

/* Whether it is such a socket, and its path then. */
bool address_is_unix(const struct config_address *address);
const char *address_path(const struct config_address *address);

/* Write an IPv4 or IPv6 address with its port, or "unix:PATH".  Returns out. */
const char *address_format(
    const struct config_address *address, char out[ADDRESS_TEXT_MAX]);

/* Whether the kernel is to choose its port. */
bool address_wants_port(const struct config_address *address);

/* The port, in host order; of a unix socket 0. */
uint16_t address_port(const struct config_address *address);

/* Set the port, in host order; not of a unix socket. */
void address_set_port(struct config_address *address, uint16_t port);

/* Whether it is [::], all addresses of IPv6. */
bool address_is_any_ipv6(const struct config_address *address);

/* Whether both are the same address and port. */
bool address_equal(
    const struct config_address *a, const struct config_address *b);

/* Whether who listens on one keeps others away from the other: they are equal,
 * or of one port and family, and one of them stands for all addresses. */
bool address_overlaps(
    const struct config_address *a, const struct config_address *b);

#endif
