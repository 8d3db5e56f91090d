/* SPDX-License-Identifier: MIT */
/*
 * transport.h - a connection's bytes, in plain text or over TLS.
 *
 * All that is read from or written to a client's socket goes through here.  The
 * plain way is the system call and nothing more but the look at one bit.
 */

#ifndef WORKER_NET_TRANSPORT_H
#define WORKER_NET_TRANSPORT_H

#include "worker/net/net.h"
#include "worker/net/tls.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

/* As recv(2).  What a connection sends that LINGERs is thrown away, so it is not
 * deciphered. */
static inline ssize_t
transport_receive(struct conn *c, void *buf, size_t max)
{
	if (c->encrypted && c->state != CONN_LINGER)
		return tls_receive(c, buf, max);
	return recv(c->io.fd, buf, max, 0);
}

/* As sendmsg(2), without waiting. */
static inline ssize_t
transport_send(struct conn *c, struct iovec *iov, int count)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)count };

	if (c->encrypted)
		return tls_send(c, iov, count);
	if (count == 1)
		return send(c->io.fd, iov->iov_base, iov->iov_len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	return sendmsg(c->io.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Whether bytes wait that no queue knows of. */
static inline bool
transport_is_behind(const struct conn *c)
{
	return c->encrypted && tls_is_behind(c);
}

/* Send them.  Returns false if the connection is broken. */
static inline bool
transport_flush(struct conn *c)
{
	return !c->encrypted || tls_flush(c);
}

/* No more will be sent.  Returns false if that has to wait: call again when
 * nothing is behind. */
static inline bool
transport_shut(struct conn *c)
{
	if (c->encrypted && !tls_shut(c))
		return false;
	shutdown(c->io.fd, SHUT_WR);
	return true;
}

#endif
