/* SPDX-License-Identifier: MIT */
/* tls.c - see tls.h. */

#include "worker/net/tls.h"

#include "common/bug.h"
#include "common/tls_certs.h"
#include "common/xmalloc.h"
#include "worker/net/net.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tls_session *
tls_session_of(const struct conn *c)
{
	const struct tls *tls = c->net->tls;

	return c->io.fd < tls->sessions_max ? tls->sessions[c->io.fd] : NULL;
}

/* Room in the table for this descriptor. */
static void
tls_grow(struct tls *tls, int fd)
{
	int max = tls->sessions_max;

	if (fd < max)
		return;
	while (max <= fd)
		max = max * 2 + 64;
	tls->sessions =
	    xreallocarray(tls->sessions, (size_t)max, sizeof(*tls->sessions));
	memset(tls->sessions + tls->sessions_max, 0,
	    (size_t)(max - tls->sessions_max) * sizeof(*tls->sessions));
	tls->sessions_max = max;
}

struct tls_session *
tls_session_begin(struct conn *c)
{
	struct tls *tls = c->net->tls;
	struct tls_session *session = xcalloc(1, sizeof(*session));
	BIO *bio = BIO_new(tls->method);

	CHECK(bio != NULL && tls_session_of(c) == NULL);
	BIO_set_data(bio, session);
	BIO_set_init(bio, 1);
	session->ssl = SSL_new(tls_certs_first(tls->certs));
	CHECK(session->ssl != NULL);
	session->conn = c;
	session->is_shaking = true;
	SSL_set_bio(session->ssl, bio, bio); /* owns it */
	SSL_set_accept_state(session->ssl);
	TAILQ_INSERT_TAIL(&tls->handshakes, session, link);
	tls_grow(tls, c->io.fd);
	tls->sessions[c->io.fd] = session;
	tls_session_hold(session, TLS_HANDSHAKE_BYTES);
	return session;
}

void
tls_session_hold(struct tls_session *session, uint32_t bytes)
{
	budget_change(
	    &session->conn->net->budget, BUDGET_INPUT, session->held, bytes);
	session->held = bytes;
}

/* Count what is unsent, which is about to be len bytes, as output. */
static void
tls_count_unsent(struct tls_session *session, uint32_t len)
{
	budget_change(&session->conn->net->budget, BUDGET_OUTPUT,
	    session->unsent_len - session->unsent_at, len);
}

void
tls_session_end(struct conn *c)
{
	struct tls_session *session = tls_session_of(c);
	struct tls *tls = c->net->tls;

	if (session == NULL)
		return;
	if (session->is_shaking)
		TAILQ_REMOVE(&tls->handshakes, session, link);
	tls_session_hold(session, 0);
	tls_count_unsent(session, 0);
	tls->sessions[c->io.fd] = NULL;
	SSL_free(session->ssl);
	free(session->unsent);
	free(session);
	ERR_clear_error();
}

/* Send what the kernel takes.  Returns how much; sets is_lost. */
static uint32_t
tls_push(struct tls_session *session, const void *data, uint32_t len)
{
	struct conn *c = session->conn;
	ssize_t sent;

	do
		sent = send(c->io.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent == -1 && errno == EINTR);
	stats_add(&c->net->stats, STATS_WRITES, 1);
	if (sent == -1 && errno != EAGAIN && errno != ENOBUFS &&
	    errno != ENOMEM)
		session->is_lost = true;
	return sent > 0 ? (uint32_t)sent : 0;
}

/* Keep bytes of records behind those that are kept already. */
static void
tls_keep(struct tls_session *session, const char *data, uint32_t len)
{
	uint32_t had = session->unsent_len - session->unsent_at;
	unsigned char *both;

	if (had + len > TLS_UNSENT_MAX) {
		session->is_lost = true;
		return;
	}
	both = xmalloc(had + len);
	if (had > 0)
		memcpy(both, session->unsent + session->unsent_at, had);
	memcpy(both + had, data, len);
	tls_count_unsent(session, had + len);
	free(session->unsent);
	session->unsent = both;
	session->unsent_at = 0;
	session->unsent_len = had + len;
}

/* Take all of it: the kernel, and what it does not take is kept. */
static int
tls_bio_write(BIO *bio, const char *data, int len)
{
	struct tls_session *session = BIO_get_data(bio);
	uint32_t sent = 0;

	BIO_clear_retry_flags(bio);
	if (session->unsent == NULL && !session->is_lost)
		sent = tls_push(session, data, (uint32_t)len);
	if (!session->is_lost && sent < (uint32_t)len)
		tls_keep(session, data + sent, (uint32_t)len - sent);
	return session->is_lost ? -1 : len;
}

static int
tls_bio_read(BIO *bio, char *buf, int max)
{
	struct tls_session *session = BIO_get_data(bio);
	ssize_t n = -1;

	BIO_clear_retry_flags(bio);
	errno = EAGAIN;
	if (!session->has_received)
		n = recv(session->conn->io.fd, buf, (size_t)max, 0);
	session->has_received = !session->is_shaking;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	else if (n == -1 || (n == 0 && session->is_shaking))
		session->is_lost = true;
	return (int)n;
}

static long
tls_bio_ctrl(BIO *bio, int command, long number, void *arg)
{
	(void)bio;
	(void)number;
	(void)arg;
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *
tls_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(
	    BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");

	CHECK(method != NULL &&
	      BIO_meth_set_write(method, tls_bio_write) == 1 &&
	      BIO_meth_set_read(method, tls_bio_read) == 1 &&
	      BIO_meth_set_ctrl(method, tls_bio_ctrl) == 1);
	return method;
}

/* Why SSL_read() has nothing, in the words of recv(2). */
static ssize_t
tls_no_more(struct tls_session *session, int result)
{
	int why = SSL_get_error(session->ssl, result);

	ERR_clear_error();
	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = why == SSL_ERROR_WANT_READ ? EAGAIN
	        : session->is_lost         ? ECONNRESET
	                                   : EPROTO;
	return -1;
}

ssize_t
tls_receive(struct conn *c, void *buf, size_t max)
{
	struct tls_session *session = tls_session_of(c);
	size_t len = 0;
	int n;

	CHECK(session != NULL && !session->is_shaking);
	session->has_received = false;
	ERR_clear_error();
	do {
		n = SSL_read(session->ssl, (char *)buf + len, (int)(max - len));
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && max - len >= TLS_RECORD_MAX);
	tls_session_hold(session,
	    SSL_has_pending(session->ssl) == 1 ? TLS_PARTIAL_BYTES : 0);
	return len > 0 ? (ssize_t)len : tls_no_more(session, n);
}

/* The next text to make a record of: from `at' bytes on, at most TLS_RECORD_MAX
 * of them, in place if they stand together.  Returns how many. */
static size_t
tls_gather(struct tls *tls, const struct iovec *iov, int count, size_t at,
    const void **text)
{
	size_t len = 0, part;

	while (count > 0 && at >= iov->iov_len) {
		at -= iov->iov_len;
		iov++;
		count--;
	}
	if (count == 0)
		return 0;
	part = iov->iov_len - at;
	*text = (const char *)iov->iov_base + at;
	if (count == 1 || part >= TLS_RECORD_MAX)
		return part < TLS_RECORD_MAX ? part : TLS_RECORD_MAX;
	for (; count > 0 && len < TLS_RECORD_MAX; iov++, count--, at = 0) {
		part = iov->iov_len - at;
		if (part > TLS_RECORD_MAX - len)
			part = TLS_RECORD_MAX - len;
		memcpy(
		    tls->record + len, (const char *)iov->iov_base + at, part);
		len += part;
	}
	*text = tls->record;
	return len;
}

ssize_t
tls_send(struct conn *c, const struct iovec *iov, int count)
{
	struct tls_session *session = tls_session_of(c);
	const void *text;
	size_t at, len;

	CHECK(session != NULL && !session->is_shaking);
	if (!tls_flush(c))
		return -1;
	if (session->unsent != NULL) {
		errno = EAGAIN;
		return -1;
	}
	at = session->owes_byte ? 1 : 0;
	session->owes_byte = false;
	while ((len = tls_gather(c->net->tls, iov, count, at, &text)) > 0) {
		ERR_clear_error();
		if (SSL_write(session->ssl, text, (int)len) != (int)len) {
			ERR_clear_error();
			errno = EPIPE;
			return -1;
		}
		at += len;
		if (session->unsent != NULL) {
			session->owes_byte = true;
			return (ssize_t)at - 1;
		}
	}
	return (ssize_t)at;
}

bool
tls_flush(struct conn *c)
{
	struct tls_session *session = tls_session_of(c);
	uint32_t left, sent;

	if (session == NULL || session->unsent == NULL)
		return session == NULL || !session->is_lost;
	left = session->unsent_len - session->unsent_at;
	sent = tls_push(session, session->unsent + session->unsent_at, left);
	tls_count_unsent(session, left - sent);
	session->unsent_at += sent;
	if (session->unsent_at == session->unsent_len) {
		free(session->unsent);
		session->unsent = NULL;
		session->unsent_at = session->unsent_len = 0;
	}
	if (session->is_lost)
		errno = EPIPE;
	return !session->is_lost;
}

bool
tls_is_behind(const struct conn *c)
{
	const struct tls_session *session = tls_session_of(c);

	return session != NULL && session->unsent != NULL && !session->is_lost;
}

bool
tls_shut(struct conn *c)
{
	struct tls_session *session = tls_session_of(c);

	if (session == NULL)
		return true;
	if (!session->is_ended && !session->is_shaking && !session->is_lost) {
		ERR_clear_error();
		SSL_shutdown(session->ssl);
		ERR_clear_error();
	}
	session->is_ended = true;
	return !tls_is_behind(c);
}

uint32_t
tls_held(const struct conn *c)
{
	const struct tls_session *session = tls_session_of(c);

	return session != NULL ? session->held : 0;
}

uint32_t
tls_unsent(const struct conn *c)
{
	const struct tls_session *session = tls_session_of(c);

	return session != NULL ? session->unsent_len - session->unsent_at : 0;
}
