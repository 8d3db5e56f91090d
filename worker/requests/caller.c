/* SPDX-License-Identifier: MIT */
/* caller.c - see caller.h. */

#include "worker/requests/caller.h"

#include "common/clock.h"
#include "common/http.h"
#include "worker/access/access.h"
#include "worker/access/credential.h"

static uint64_t
caller_now_s(void)
{
	return clock_wall_ms() / 1000;
}

bool
caller_identify(
    struct conn *c, const struct http_request *req, const char **why)
{
	struct access *access = hub_of(c)->access;
	struct http_text credential;
	uint32_t number;

	caller_forget(c);
	if (access_is_open(access))
		return true;
	switch (credential_find(req, &credential)) {
	case CREDENTIAL_NONE:
		return true;
	case CREDENTIAL_FOUND:
		if (!access_verify(access, credential.at, credential.len,
			caller_now_s(), &number, why))
			return false;
		client_of(c)->identity = number;
		client_of(c)->is_warned = false;
		return true;
	case CREDENTIAL_AMBIGUOUS:
		break;
	}
	stats_add(&c->net->stats, STATS_TOKENS_MALFORMED, 1);
	*why = "Authorization is not one token";
	return false;
}

void
caller_forget(struct conn *c)
{
	struct client *client = client_of(c);

	access_release(hub_of(c)->access, client->identity);
	client->identity = IDENTITY_NOBODY;
}

bool
caller_may(struct conn *c, unsigned kinds, const char *topic, size_t topic_len)
{
	return access_allows(
	    hub_of(c)->access, client_of(c)->identity, kinds, topic, topic_len);
}

bool
caller_may_some(struct conn *c, unsigned kind)
{
	return access_allows_some(
	    hub_of(c)->access, client_of(c)->identity, kind);
}

/* Tell one client how long it may stay; or let go of it. */
static void
caller_look_at(struct conn *c, const struct access *access, uint64_t now_s)
{
	struct client *client = client_of(c);
	uint64_t until_s;

	if (client->identity == IDENTITY_NOBODY || c->state != CONN_OPEN ||
	    c->handler->expire == NULL)
		return;
	until_s = identities_of(&access->identities, client->identity)->until_s;
	if (until_s <= now_s) {
		stats_add(&c->net->stats, STATS_ACCESS_ENDED, 1);
		c->handler->expire(c, 0);
	} else if (until_s - now_s <= IDENTITY_WARN_S && !client->is_warned) {
		client->is_warned = true;
		c->handler->expire(c, (until_s - now_s) * 1000);
	}
}

void
caller_tick(struct hub *hub)
{
	struct access *access = hub->access;
	struct conn *c, *next;
	uint64_t now_s;

	if (access->identities.count == 0)
		return;
	now_s = caller_now_s();
	if (!identities_are_due(&access->identities, now_s))
		return;
	for (c = LIST_FIRST(&hub->net->conns.living); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		caller_look_at(c, access, now_s);
	}
	identities_looked(&access->identities, now_s);
}
