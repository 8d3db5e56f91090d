/* SPDX-License-Identifier: MIT */
/* tls_handshake.c - see tls_handshake.h. */

#include "worker/net/tls_handshake.h"

#include "broker/shared/tls_store.h"
#include "common/bug.h"
#include "common/config.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/net/conn.h"
#include "worker/net/feed.h"
#include "worker/net/rate.h"
#include "worker/net/service.h"
#include "worker/net/tls.h"
#include "worker/net/tls_ticket.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What a client is told that does not speak TLS, where it should. */
#define HANDSHAKE_PLAIN_TEXT \
	"this port speaks TLS: the address begins with https:// or wss://\n"
#define HANDSHAKE_PLAIN_LENGTH "65"

static const char handshake_plain[] =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: " HANDSHAKE_PLAIN_LENGTH "\r\n"
    "Cache-Control: no-store\r\n"
    "Connection: close\r\n"
    "\r\n" HANDSHAKE_PLAIN_TEXT;

_Static_assert(sizeof(HANDSHAKE_PLAIN_TEXT) - 1 == 65, "the length differs");

/* Take the certificates of the store, if they are others than ours. */
static bool
handshake_take_certs(struct tls *tls)
{
	struct tls_pair pairs[TLS_CERTS_MAX];
	struct tls_certs_error error = { .why = "being written" };
	struct tls_certs *certs = NULL;
	uint32_t version;
	char *texts;
	size_t count;

	if (tls->certs != NULL && tls_store_version(tls->store) == tls->version)
		return true;
	count = tls_store_get(tls->store, pairs, &texts, &version);
	if (count > 0)
		certs =
		    tls_certs_new(pairs, count, tls->net->config->tls_only_1_3,
			tls_ticket_setup, tls->tickets, &error);
	tls_store_wipe(&texts, pairs, count);
	if (certs == NULL) {
		log_errorx("certificate %zu: %s", error.pair + 1, error.why);
		return false;
	}
	tls_certs_free(tls->certs);
	tls->certs = certs;
	tls->version = version;
	return true;
}

bool
tls_open(struct net *net, const struct tls_store *store)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));

	tls->net = net;
	tls->store = store;
	tls->tickets = tls_ticket_open(store);
	tls->method = tls_bio_method();
	TAILQ_INIT(&tls->handshakes);
	net->tls = tls;
	return handshake_take_certs(tls);
}

void
tls_close(struct net *net)
{
	struct tls *tls = net->tls;

	if (tls == NULL)
		return;
	CHECK(TAILQ_EMPTY(&tls->handshakes));
	tls_certs_free(tls->certs);
	tls_ticket_close(tls->tickets);
	BIO_meth_free(tls->method);
	free(tls->sessions);
	free(tls);
	net->tls = NULL;
}

static void
handshake_due(struct conn *c)
{
	if (!rate_due(c, c->net->config->request_ms))
		conn_time_out(c);
}

static void
handshake_refuse(struct conn *c, enum conn_refusal why)
{
	(void)why;
	conn_cut(c);
}

static void
handshake_go_away(struct conn *c, bool restart)
{
	(void)restart;
	conn_abort(c);
}

/* Go on in plain text, to close. */
static void
handshake_leave(struct conn *c)
{
	tls_session_end(c);
	c->encrypted = false;
	conn_close_when_written(c);
}

/* End the oldest handshakes while there is no memory for this one. */
static void
handshake_make_room(struct conn *c)
{
	struct net *net = c->net;
	struct tls_session *oldest;
	uint64_t max = budget_max(net->config, BUDGET_INPUT);

	while (net->budget.held[BUDGET_INPUT] > max &&
	       (oldest = TAILQ_FIRST(&net->tls->handshakes))->conn != c) {
		struct conn *old = oldest->conn;

		stats_add(&net->stats, STATS_REFUSED_MEMORY, 1);
		tls_session_end(old);
		conn_cut(old);
	}
	conn_enforce_input_budget(c);
}

/* Look at the first byte, which of a request in plain text is a letter.  Returns
 * whether to go on with a session for it. */
static bool
handshake_begin(struct conn *c)
{
	unsigned char first;
	ssize_t n = recv(c->io.fd, &first, 1, MSG_PEEK);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n != 1) {
		conn_abort(c);
		return false;
	}
	if ((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z')) {
		stats_add(&c->net->stats, STATS_TLS_FAILED, 1);
		conn_answer(c, handshake_plain, sizeof(handshake_plain) - 1);
		handshake_leave(c);
		return false;
	}
	handshake_take_certs(c->net->tls);
	tls_session_begin(c);
	handshake_make_room(c);
	return c->state == CONN_OPEN;
}

static void
handshake_done(struct conn *c, struct tls_session *session)
{
	struct net *net = c->net;

	TAILQ_REMOVE(&net->tls->handshakes, session, link);
	session->is_shaking = false;
	tls_session_hold(session, 0);
	/* From now on all that has come is read at once. */
	SSL_set_read_ahead(session->ssl, 1);
	stats_add(&net->stats, STATS_TLS_HANDSHAKES, 1);
	if (SSL_session_reused(session->ssl) == 1)
		stats_add(&net->stats, STATS_TLS_RESUMED, 1);
	conn_speak(c, net->service->handler, NULL);
	conn_update_events(c);
}

static void
handshake_failed(struct conn *c, const struct tls_session *session)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	stats_add(&c->net->stats, STATS_TLS_FAILED, 1);
	log_debug("TLS handshake: %s", why != NULL ? why : "cut off");
	ERR_clear_error();
	if (session->is_lost)
		conn_abort(c);
	else
		handshake_leave(c); /* the alert has been sent */
}

/* Its socket is readable: go on with its handshake. */
static void
handshake_receive(struct conn *c)
{
	struct tls *tls = c->net->tls;
	struct tls_session *session;
	int result;

	/* The socket stays readable, so the rest comes in the next turn. */
	if (tls->steps_in_turn == TLS_HANDSHAKES_TURN_MAX)
		return;
	if (tls_session_of(c) == NULL && !handshake_begin(c))
		return;
	tls->steps_in_turn++;
	session = tls_session_of(c);
	c->last_heard_tick = c->net->wheel.now;
	ERR_clear_error();
	result = SSL_do_handshake(session->ssl);
	if (result == 1)
		handshake_done(c, session);
	else if (SSL_get_error(session->ssl, result) == SSL_ERROR_WANT_READ)
		conn_update_events(c);
	else
		handshake_failed(c, session);
}

static const struct conn_handler handshake_handler = {
	.receive = handshake_receive,
	.asks_nothing = true,
	.due = handshake_due,
	.refuse = handshake_refuse,
	.go_away = handshake_go_away,
};

void
tls_accept(struct conn *c)
{
	c->encrypted = true;
	conn_speak(c, &handshake_handler, NULL);
}

void
tls_turn(struct net *net)
{
	if (net->tls != NULL)
		net->tls->steps_in_turn = 0;
}
