/* SPDX-License-Identifier: MIT */
/*
 * pub.c - see pub.h.
 *
 * Requests are pipelined: up to a window of them is on its way, and kept until
 * its ack is there.  Input is read only while there is room in the window, so
 * the program that writes it is slowed down to the pace of the server.  Answers
 * come in the order of the requests; the id of each is its number.
 *
 * With --retry the messages without an ack are published again on the next
 * connection, in the same order.  A message may then be published twice,
 * because a request whose ack was cut off may have been done.
 */

#include "broker/cli/client/pub.h"

#include "broker/cli/client/client.h"
#include "broker/cli/client/find.h"
#include "broker/cli/client/pub_input.h"
#include "broker/cli/client/pub_message.h"
#include "common/clock.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The window: requests, and bytes of those (or one that is longer). */
#define PUB_WINDOW       1024u
#define PUB_WINDOW_BYTES (1024u * 1024)

struct pub_request {
	char *text; /* owned */
	size_t len;
};

struct pub {
	const struct cli *cli;
	struct hosts hosts;
	struct tls_client_context *tls; /* owned; NULL: plain text */
	struct client client;
	struct pub_input input;
	bool is_stream;    /* lines of standard input: they have numbers */
	uint64_t taken;    /* messages taken from the input; the last's id */
	uint64_t answered; /* of those */
	uint64_t acked;    /* of those; all unless one was refused */
	struct pub_request window[PUB_WINDOW]; /* by id, without an answer */
	size_t window_bytes;
	bool is_held; /* the server drains: nothing until the next connection */
	bool is_unfit;   /* it is cut off from its cluster: there is another */
	size_t refused;  /* by so many hosts for that, in a row */
	bool has_failed; /* no more is taken: */
	char why[480];
	bool has_been;     /* welcomed, ever */
	uint64_t until_ms; /* monotonic clock, like the next; 0: no end */
	uint64_t again_ms; /* when to connect again; 0: not now */
	bool is_over;
	enum exit_status status; /* to end with */
};

/* How many of the messages that were taken are acknowledged, for a sentence. */
static const char *
pub_count(const struct pub *p, char out[PUB_COUNT_MAX])
{
	return pub_message_count(p->is_stream, p->acked, p->taken,
	    p->input.has_ended || p->has_failed, out);
}

/* A message cannot be published, for this reason.  The answers to those before
 * it are still waited for. */
static void __attribute__((format(printf, 3, 4)))
pub_fail(struct pub *p, uint64_t id, const char *format, ...)
{
	char why[400], name[PUB_NAME_MAX];
	va_list args;

	if (p->has_failed)
		return;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	p->has_failed = true;
	snprintf(p->why, sizeof(p->why), "%s: %s",
	    pub_message_name(p->is_stream, id, name), why);
}

/* Put a message into the window and send it. */
static void
pub_take(struct pub *p, const char *text, size_t len)
{
	const struct pub_message_kind kind =
	    pub_message_kind_of(p->cli, p->is_stream);
	struct pub_request *request;
	char why[PUB_WHY_MAX];
	struct buf buf;
	size_t message_len;

	if (!pub_message_check(text, len, p->cli->json, why)) {
		pub_fail(p, p->taken + 1, "%s", why);
		return;
	}
	buf_init(&buf);
	message_len = pub_message_request(
	    &buf, p->taken + 1, p->cli->words[0], text, len, &kind);
	if (message_len > p->client.max_message) {
		pub_fail(p, p->taken + 1,
		    "%zu bytes of JSON, and the server takes %" PRIu64,
		    message_len, p->client.max_message);
		buf_fini(&buf);
		return;
	}
	client_send(&p->client, buf.at, buf.len);
	request = &p->window[++p->taken % PUB_WINDOW];
	request->text = buf.at; /* the window owns it now */
	request->len = buf.len;
	p->window_bytes += buf.len;
}

/* The oldest request is dealt with. */
static void
pub_drop(struct pub *p)
{
	struct pub_request *request = &p->window[++p->answered % PUB_WINDOW];

	p->window_bytes -= request->len;
	free(request->text);
	request->text = NULL;
}

static bool
pub_has_room(const struct pub *p)
{
	return p->client.state == CLIENT_OPEN && !p->is_held &&
	       !p->has_failed && p->taken - p->answered < PUB_WINDOW &&
	       p->window_bytes < PUB_WINDOW_BYTES;
}

/* Take what is there, as far as the window goes.  Returns whether more input
 * is wanted. */
static bool
pub_fill(struct pub *p)
{
	const char *text;
	size_t len;

	while (pub_has_room(p))
		switch (pub_input_next(
		    &p->input, p->client.max_message, &text, &len)) {
		case PUB_INPUT_MESSAGE:
			pub_take(p, text, len);
			break;
		case PUB_INPUT_MORE:
			return true;
		case PUB_INPUT_END:
			return false;
		case PUB_INPUT_TOO_LONG:
			pub_fail(p, p->taken + 1,
			    "longer than the %" PRIu64
			    " bytes that the server takes",
			    p->client.max_message);
			return false;
		}
	return false;
}

static void
pub_opened(void *owner)
{
	struct pub *p = owner;

	p->has_been = true;
	p->is_held = p->is_unfit = false;
	for (uint64_t id = p->answered + 1; id <= p->taken; id++) {
		const struct pub_request *request = &p->window[id % PUB_WINDOW];

		client_send(&p->client, request->text, request->len);
	}
}

/* A request was refused.  A server that drains may take it when it is back, and
 * another host may if this one is cut off. */
static void
pub_refused(struct pub *p, const struct server_message *said)
{
	char code[64], reason[256];

	server_message_copy(&said->code, code, sizeof(code));
	server_message_copy(&said->reason, reason, sizeof(reason));
	p->is_unfit = p->cli->client.retries &&
	              strcmp(code, "cluster_down") == 0 &&
	              ++p->refused < p->hosts.len;
	if (p->is_unfit ||
	    (p->cli->client.retries && strcmp(code, "draining") == 0)) {
		p->is_held = true;
		return;
	}
	pub_fail(p, said->id, "%s (%s)", reason, code);
	pub_drop(p);
}

static void
pub_said(void *owner, const struct server_message *said)
{
	struct pub *p = owner;

	if (said->kind == SERVER_DRAIN)
		p->is_held = p->cli->client.retries;
	if (said->kind != SERVER_ACK && said->kind != SERVER_ERROR)
		return;
	/* Those behind one that a draining server refused are refused, too. */
	if (p->is_held && said->id > p->answered + 1)
		return;
	if (said->id != p->answered + 1 || p->answered == p->taken) {
		pub_fail(p, said->id, "its answer came out of order");
		client_close(&p->client);
	} else if (said->kind == SERVER_ERROR) {
		pub_refused(p, said);
	} else {
		p->acked++;
		p->refused = 0;
		pub_drop(p);
	}
}

/* The connection has ended before we were done: come back, or give up. */
static void
pub_cut(struct pub *p)
{
	const struct outcome *end = client_end(&p->client);
	char count[PUB_COUNT_MAX];

	if ((p->has_been ? p->cli->client.retries
			 : hosts_have_untried(&p->hosts)) &&
	    client_may_come_back(&p->client)) {
		p->again_ms = client_again_ms(&p->client);
		if (!p->has_been)
			client_report_next(&p->hosts, end);
		return;
	}
	p->is_over = true;
	p->status = client_report(&hosts_here(&p->hosts)->url, end,
	    p->taken > 0 ? pub_count(p, count) : "");
}

/* Everything is answered, or will not be: say what came of it. */
static void
pub_finish(struct pub *p)
{
	char count[PUB_COUNT_MAX];

	p->is_over = true;
	if (p->input.error != 0 && !p->has_failed) {
		p->has_failed = true;
		snprintf(p->why, sizeof(p->why), "standard input: %s",
		    strerror(p->input.error));
	}
	if (p->has_failed && p->is_stream)
		p->status = report_failure(
		    EXIT_STATUS_FAILED, "%s; %s", p->why, pub_count(p, count));
	else if (p->has_failed)
		p->status = report_failure(EXIT_STATUS_FAILED, "%s", p->why);
}

/* Time is up. */
static void
pub_timed_out(struct pub *p)
{
	char count[PUB_COUNT_MAX];

	/* All is answered, only the goodbye is not. */
	if (p->client.state == CLIENT_CLOSING) {
		pub_finish(p);
		return;
	}
	p->is_over = true;
	p->status = report_failure(EXIT_STATUS_FAILED, "%s: after %g s %s",
	    hosts_here(&p->hosts)->url.text,
	    (double)p->cli->client.timeout_ms / 1000, pub_count(p, count));
}

/* Let the connection go on, or end, with the events that poll(2) returned. */
static void
pub_connection(struct pub *p, short revents)
{
	bool is_closing = p->client.state == CLIENT_CLOSING;

	if (p->client.state != CLIENT_DOWN) {
		client_turn(&p->client, revents);
		if (p->is_unfit && p->client.state == CLIENT_OPEN)
			client_leave(&p->client, "cut off from its cluster");
		if (p->client.state != CLIENT_DOWN)
			return;
		if (is_closing)
			pub_finish(p);
		else
			pub_cut(p);
	} else if (p->again_ms != 0 && clock_monotonic_ms() >= p->again_ms) {
		p->again_ms = 0;
		client_connect(&p->client);
		if (p->client.state == CLIENT_DOWN)
			pub_cut(p);
	}
}

/* Send what there is, wait, then do what there is to do. */
static void
pub_turn(struct pub *p)
{
	bool wants_input = pub_fill(p);
	struct pollfd fds[2] = { 0 };

	if (p->client.state == CLIENT_OPEN && p->answered == p->taken &&
	    (p->has_failed || p->input.has_ended))
		client_close(&p->client);
	client_poll(&p->client, &fds[0], true);
	fds[1] = (struct pollfd){
		.fd = wants_input ? p->input.fd : -1,
		.events = POLLIN,
	};
	if (poll(fds, 2,
		client_patience(&p->client, p->until_ms, p->again_ms)) == -1)
		return; /* EINTR, or memory for a moment: look again */
	if (fds[1].revents != 0)
		pub_input_read(&p->input);
	pub_connection(p, fds[0].revents);
	if (!p->is_over && p->until_ms != 0 &&
	    clock_monotonic_ms() >= p->until_ms)
		pub_timed_out(p);
}

static enum exit_status
pub_run(struct pub *p)
{
	const struct client_events events = { pub_opened, pub_said };
	uint64_t now = clock_monotonic_ms();

	client_init(&p->client, &p->hosts, p->tls, &p->cli->client, &events, p);
	if (p->cli->client.timeout_ms != 0)
		p->until_ms = now + p->cli->client.timeout_ms;
	p->again_ms = now;
	while (!p->is_over)
		pub_turn(p);
	while (p->answered < p->taken)
		pub_drop(p);
	client_fini(&p->client);
	return p->status;
}

/* Look at what the command line alone can tell, and at where to read. */
static enum exit_status
pub_open_input(struct pub *p)
{
	const char *const *words = p->cli->words;
	char why[PUB_WHY_MAX];

	if (!utf8_valid(words[0], strlen(words[0])))
		return report_failure(
		    EXIT_STATUS_USAGE, "the topic is not UTF-8");
	if (p->cli->words_len == 1 || strcmp(words[1], "-") == 0) {
		p->is_stream = !p->cli->client.is_whole;
		pub_input_init_fd(&p->input, STDIN_FILENO, !p->is_stream);
		pub_input_hint(&p->input);
		return EXIT_STATUS_OK;
	}
	if (!pub_message_check(words[1], strlen(words[1]), p->cli->json, why))
		return report_failure(
		    EXIT_STATUS_USAGE, "the message: %s", why);
	pub_input_init_text(&p->input, words[1]);
	return EXIT_STATUS_OK;
}

enum exit_status
cli_pub(const struct cli *cli)
{
	static struct pub p; /* the window is large */
	enum exit_status status;

	p.cli = cli;
	status = client_find(cli, &p.hosts, &p.tls);
	if (status == EXIT_STATUS_OK)
		status = pub_open_input(&p);
	if (status == EXIT_STATUS_OK)
		status = pub_run(&p);
	pub_input_fini(&p.input);
	hosts_fini(&p.hosts);
	tls_client_context_free(p.tls);
	return status;
}
