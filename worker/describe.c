/* SPDX-License-Identifier: MIT */
/* describe.c - see describe.h. */

#include "worker/describe.h"

#include "common/address.h"
#include "common/clock.h"
#include "common/config.h"
#include "worker/access/identities.h"
#include "worker/delivery/hub.h"
#include "worker/net/conns.h"
#include "worker/net/drops.h"
#include "worker/net/peer.h"
#include "worker/requests/caller.h"
#include "worker/ws/protocol.h"
#include "worker/ws/ws_conn.h"

#include <inttypes.h>
#include <sys/socket.h>

static const char *
describe_protocol(const struct conn *c)
{
	enum form_id form = client_of((struct conn *)(uintptr_t)c)->form;
	const char *name;

	if (!c->upgraded)
		return form == FORM_TEXT ? "http" : "events";
	name = protocol_of(c)->name;
	return name != NULL ? name : "plain";
}

/* The other end: null if it has gone, or whom a proxy tells. */
static void
describe_address(struct buf *buf, struct conn *c)
{
	struct config_address address = { .len = sizeof(address.addr) };
	char text[ADDRESS_TEXT_MAX], ip[IP_TEXT_MAX];

	if (c->proxied)
		buf_printf(buf, "\"%s\"", peer_format(c, ip));
	else if (getpeername(c->io.fd, (struct sockaddr *)&address.addr,
		     &address.len) != 0)
		buf_puts(buf, "null");
	else if (address.addr.ss_family == AF_UNIX)
		buf_puts(buf, "\"unix\"");
	else
		buf_printf(buf, "\"%s\"", address_format(&address, text));
}

/* Who it is: null if nobody has said, or without a name. */
static void
describe_user(struct buf *buf, struct conn *c)
{
	const struct identity *identity = caller_identity(c);

	buf_puts(buf, ",\"user\":");
	if (identity != NULL && identity->sub_len > 0)
		buf_json_string(buf, identity->sub, identity->sub_len);
	else
		buf_puts(buf, "null");
}

static void
describe_topics(struct buf *buf, struct conn *c)
{
	size_t before = buf->len;
	const char *comma = "";
	struct sub *sub;

	buf_puts(buf, ",\"topics\":[");
	SLIST_FOREACH(sub, &client_of(c)->subs, link) {
		const struct buf *name = &sub->topic->json;

		if (buf->len - before + name->len > DESCRIBE_TOPICS_MAX)
			break;
		buf_puts(buf, comma);
		buf_add(buf, name->at, name->len);
		comma = ",";
	}
	buf_puts(buf, "]");
}

void
describe_conn(struct buf *buf, struct conn *c)
{
	unsigned slot = hub_of(c)->slot;
	uint64_t now = clock_monotonic_ms() / 1000;
	uint64_t came = conns_came_at(c->number);

	buf_printf(buf,
	    "{\"id\":\"%u.%" PRIu64 "\",\"worker\":%u,\"address\":", slot,
	    c->number, slot);
	describe_address(buf, c);
	buf_printf(buf, ",\"protocol\":\"%s\",\"tls\":%s", describe_protocol(c),
	    c->encrypted ? "true" : "false");
	describe_user(buf, c);
	buf_printf(buf, ",\"age\":%" PRIu64 ",\"subscriptions\":%" PRIu32,
	    now > came ? now - came : 0, client_of(c)->subs_count);
	describe_topics(buf, c);
	buf_printf(buf, ",\"buffered_bytes\":%zu,\"drops\":%" PRIu64 "}",
	    c->out != NULL ? c->out->bytes : 0, drops_of(c));
}
