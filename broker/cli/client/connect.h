/* SPDX-License-Identifier: MIT */
/*
 * connect.h - from a URL to a connected socket.
 *
 * A name may have several addresses (localhost: ::1 and 127.0.0.1), and a
 * server need not listen on all of them, so they are tried one after the other.
 */

#ifndef BROKER_CLI_CLIENT_CONNECT_H
#define BROKER_CLI_CLIENT_CONNECT_H

#include "common/url.h"

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONNECTING_MS 5000 /* for one address to answer */

struct connecting {
	struct addrinfo *list; /* owned; NULL: a unix socket's */
	struct addrinfo *next; /* not yet tried */
	struct addrinfo only;  /* of a unix socket */
	struct sockaddr_un path;
	int fd;        /* the present try; -1: none */
	char why[160]; /* what was wrong with the last */
};

/*
 * Begin to connect a new socket to an address, from another one unless that is
 * NULL (its port is left to the kernel).
 * Returns: the socket, which does not block and is writable when the try has
 *          come to an end; or -1 with errno.
 */
int connect_begin(const struct sockaddr *to, socklen_t to_len,
    const struct sockaddr *from, socklen_t from_len);

/* How the try has ended.  Returns: 0 if it is connected, without Nagle's delay
 * from now on; else what would be in errno. */
int connect_result(int fd);

/*
 * Look the host up.  Signals that the caller holds back end the process while
 * it asks, as they would by default: a name server may take its time.
 * Blocks:  while it asks.
 * Returns false with dial->why.
 * Owns: the caller, until connecting_fini().
 */
bool connecting_init(struct connecting *dial, const struct url *url);
void connecting_fini(struct connecting *dial);

/*
 * Give up the present try and begin one with the next address.  dial->fd does
 * not block; it is writable when the try has come to an end.
 * Returns false, with dial->why, when there is no address left.
 */
bool connecting_next(struct connecting *dial);

/* The present try was given no answer for too long. */
void connecting_timed_out(struct connecting *dial);

/*
 * How the present try has ended.
 * Returns the connected socket, now the caller's, or -1 with dial->why.
 */
int connecting_result(struct connecting *dial);

#endif
