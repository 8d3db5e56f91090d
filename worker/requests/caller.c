/* SPDX-License-Identifier: MIT */
/* caller.c - see caller.h. */

#include "worker/requests/caller.h"

#include "common/clock.h"
#include "common/http.h"
#include "common/pattern.h"
#include "worker/access/access.h"
#include "worker/access/credential.h"
#include "worker/delivery/attend.h"
#include "worker/delivery/pattern_subscribe.h"
#include "worker/delivery/patterns.h"
#include "worker/delivery/subscribe.h"
#include "worker/delivery/watch.h"
#include "worker/net/rate.h"
#include "worker/requests/listen_query.h"

#include <string.h>

/* What a bad token costs its connection, in records that were looked at: the time
 * of the dearest signature (rate.h). */
#define CALLER_BAD_RECORDS 6400

static uint64_t
caller_now_s(void)
{
	return clock_wall_ms() / 1000;
}

/* Be that from now on; it is held. */
static void
caller_set(struct conn *c, uint32_t number)
{
	caller_forget(c);
	client_of(c)->identity = number & IDENTITY_MASK;
	client_of(c)->is_warned = false;
}

/* A bad token: that costs its connection as many messages as could have been
 * taken meanwhile, and its address one of few tries. */
static void
caller_tried_badly(struct conn *c)
{
	rate_charge(c, CALLER_BAD_RECORDS);
	address_tried_badly(c->io.data, c->net->wheel.now);
}

enum caller_status
caller_verify(struct conn *c, const char *token, size_t len, uint32_t *number,
    const char **why)
{
	struct access *access = hub_of(c)->access;
	uint64_t now_s = caller_now_s();
	enum access_verdict verdict;

	*number = IDENTITY_NOBODY;
	if (access_is_open(access))
		return CALLER_OK;
	verdict = access_recall(access, token, len, now_s, number, why);
	if (verdict == ACCESS_UNKNOWN) {
		if (!address_may_try(c->io.data, c->net->wheel.now)) {
			stats_add(&c->net->stats, STATS_TOKENS_PUT_OFF, 1);
			*why = "too many bad tokens from your address";
			return CALLER_LATER;
		}
		verdict = access_verify(access, token, len, now_s, number, why);
	}
	if (verdict == ACCESS_GOOD)
		return CALLER_OK;
	caller_tried_badly(c);
	return CALLER_BAD;
}

/* A client without a credential may say its name (?user=), where it may do
 * anything at all. */
static void
caller_take_name(struct conn *c, const struct http_request *req)
{
	struct access *access = hub_of(c)->access;
	char name[QUERY_USER_ROOM];
	size_t len;

	if (query_user(req->query, name, &len) &&
	    access_takes_strangers(access))
		caller_set(c, access_stranger(access, name, len));
}

enum caller_status
caller_identify(struct conn *c, const struct http_request *req,
    bool is_websocket, const char **why)
{
	const struct access_rules *rules = hub_of(c)->access->rules;
	struct credential_places places = { .subprotocol = is_websocket };
	struct http_text credential;
	enum caller_status status;
	uint32_t number;

	caller_forget(c);
	if (access_is_open(hub_of(c)->access)) {
		caller_take_name(c, req);
		return CALLER_OK;
	}
	places.cookie = rules->cookie;
	places.query = rules->takes_query;
	switch (credential_find(c->net->config, req, &places, &credential)) {
	case CREDENTIAL_NONE:
		caller_take_name(c, req);
		return CALLER_OK;
	case CREDENTIAL_FOUND:
		status = caller_verify(
		    c, credential.at, credential.len, &number, why);
		if (status == CALLER_OK)
			caller_set(c, number);
		return status;
	case CREDENTIAL_AMBIGUOUS:
		break;
	}
	stats_add(&c->net->stats, STATS_TOKENS_MALFORMED, 1);
	*why = "there is not one, but none or several";
	return CALLER_BAD;
}

void
caller_forget(struct conn *c)
{
	struct client *client = client_of(c);

	access_release(hub_of(c)->access, client->identity);
	client->identity = IDENTITY_NOBODY;
}

const struct identity *
caller_identity(struct conn *c)
{
	uint32_t number = client_of(c)->identity;
	const struct identity *identity;

	if (number == IDENTITY_NOBODY)
		return NULL;
	identity = identities_of(&hub_of(c)->access->identities, number);
	return identity->is_guest || identity->is_stranger ? NULL : identity;
}

bool
caller_is_known(struct conn *c)
{
	return caller_identity(c) != NULL;
}

/* Whether it is somebody by no more than what it says, and that is enough. */
static bool
caller_is_stranger(struct conn *c)
{
	const struct access *access = hub_of(c)->access;
	uint32_t number = client_of(c)->identity;

	return number != IDENTITY_NOBODY &&
	       identities_of(&access->identities, number)->is_stranger &&
	       access_takes_strangers(access);
}

bool
caller_become(struct conn *c, uint32_t number)
{
	struct access *access = hub_of(c)->access;
	const struct identity *was = caller_identity(c), *is;

	if (number == IDENTITY_NOBODY)
		return true; /* everybody may everything */
	is = identities_of(&access->identities, number);
	if (was != NULL && (was->sub_len != is->sub_len ||
			       memcmp(was->sub, is->sub, is->sub_len) != 0)) {
		access_release(access, number);
		return false;
	}
	if (was != NULL)
		stats_add(&c->net->stats, STATS_TOKENS_RENEWED, 1);
	else /* it becomes somebody, wherever it is */
		attend_end_all(hub_of(c), client_of(c));
	caller_set(c, number);
	attend_begin_all(hub_of(c), client_of(c));
	return true;
}

/* End the subscriptions to patterns likewise. */
static void
caller_narrow_patterns(struct conn *c)
{
	struct pattern_client *pc = patterns_of(hub_of(c), client_of(c));
	struct pattern_sub *sub = pc != NULL ? SLIST_FIRST(&pc->subs) : NULL;
	struct pattern_sub *next;
	char text[PATTERN_MAX];
	size_t len;

	for (; sub != NULL && c->state == CONN_OPEN; sub = next) {
		next = SLIST_NEXT(sub, link);
		len = sub->pattern->len;
		memcpy(text, sub->pattern->text, len);
		if (caller_may_pattern(c, GRANT_SUBSCRIBE, text, len))
			continue;
		pattern_unsubscribe(hub_of(c), sub);
		c->handler->revoked(c, text, len, true);
	}
}

void
caller_narrow(struct conn *c)
{
	struct sub *sub = SLIST_FIRST(&client_of(c)->subs), *next;
	char name[LAYOUT_TOPIC_NAME_MAX];
	size_t len;

	for (; sub != NULL && c->state == CONN_OPEN; sub = next) {
		next = SLIST_NEXT(sub, link);
		len = sub->topic->name_len;
		memcpy(name, sub->topic->name, len);
		if (sub->watches && !caller_may(c, GRANT_PRESENCE, name, len))
			watch_expel(hub_of(c), sub, WATCH_FORBIDDEN);
		if (!sub->is_excess &&
		    caller_may(c, GRANT_SUBSCRIBE, name, len))
			continue;
		subscribe_end(hub_of(c), sub);
		/* Not before: nothing of the topic follows. */
		c->handler->revoked(c, name, len, false);
	}
	caller_narrow_patterns(c);
}

void
caller_await(struct conn *c)
{
	struct access *access = hub_of(c)->access;
	uint32_t guest;

	if (client_of(c)->identity != IDENTITY_NOBODY ||
	    caller_may_some(c, GRANT_ALL))
		return;
	guest = access_guest(access, caller_now_s());
	if (guest != IDENTITY_NOBODY)
		caller_set(c, guest);
}

bool
caller_may(struct conn *c, unsigned kinds, const char *topic, size_t topic_len)
{
	return access_allows(
	    hub_of(c)->access, client_of(c)->identity, kinds, topic, topic_len);
}

bool
caller_may_pattern(
    struct conn *c, unsigned kinds, const char *pattern, size_t len)
{
	return access_allows_pattern(
	    hub_of(c)->access, client_of(c)->identity, kinds, pattern, len);
}

bool
caller_put_patterns(struct conn *c, unsigned kind, struct buf *out)
{
	return access_put_patterns(
	    hub_of(c)->access, client_of(c)->identity, kind, out);
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
	const struct identity *identity;

	if (client->identity == IDENTITY_NOBODY || c->state != CONN_OPEN ||
	    c->handler->expire == NULL)
		return;
	identity = identities_of(&access->identities, client->identity);
	if (identity->until_s > now_s) {
		if (identity->until_s - now_s > IDENTITY_WARN_S ||
		    client->is_warned || identity->is_guest)
			return;
		client->is_warned = true;
		c->handler->expire(
		    c, (identity->until_s - now_s) * 1000, "the token expires");
	} else if (identity->is_guest) {
		stats_add(&c->net->stats, STATS_TIMEOUTS, 1);
		c->handler->refuse(c, CONN_UNKNOWN);
	} else {
		stats_add(&c->net->stats, STATS_ACCESS_ENDED, 1);
		c->handler->expire(c, 0,
		    identity->until_s > 0 ? "the token has expired"
					  : "its key has been taken out");
	}
}

void
caller_tick(struct hub *hub)
{
	struct access *access = hub->access;
	struct conn *c, *next;
	uint64_t now_s;

	if (access->identities.count == 0 || access_is_open(access))
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

void
caller_hold_to_rules(struct hub *hub)
{
	struct conn *c, *next;

	for (c = LIST_FIRST(&hub->net->conns.living); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (c->state != CONN_OPEN)
			continue;
		if (form_base(client_of(c)->form) == FORM_ENVELOPE ||
		    client_of(c)->form == FORM_PUSH) {
			if (!caller_is_known(c) && !caller_is_stranger(c)) {
				attend_end_all(hub, client_of(c));
				caller_forget(c);
			}
			caller_await(c);
		}
		caller_narrow(c);
	}
}
