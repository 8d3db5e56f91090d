/* SPDX-License-Identifier: MIT */
/* attend.c - see attend.h. */

#include "worker/delivery/attend.h"

#include "broker/ring/member_share.h"
#include "broker/ring/members.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/xmalloc.h"
#include "worker/access/access.h"
#include "worker/delivery/hub.h"
#include "worker/net/address_limits.h"

#include <stdlib.h>
#include <string.h>

/* A subscription that has ended. */
struct attend_gone {
	uint32_t topic;    /* directory slot: kept by its member */
	uint32_t identity; /* held */
};

void
attend_fini(struct hub *hub)
{
	for (uint32_t i = 0; i < hub->attend->gone_count; i++)
		access_release(hub->access, hub->attend->gone[i].identity);
	free(hub->attend->gone);
	memset(hub->attend, 0, sizeof(*hub->attend));
}

/* Who that is.  Returns false for somebody without a name. */
static bool
attend_user(
    const struct hub *hub, uint32_t identity, struct member_user *member)
{
	struct access_user user;

	if (!access_user(hub->access, identity, &user) || user.sub_len == 0 ||
	    user.sub_len > LAYOUT_USER_MAX)
		return false;
	member->name = user.sub;
	member->name_len = (uint8_t)user.sub_len;
	member->info = user.info;
	member->info_len = (uint16_t)user.info_len;
	member->is_verified = !user.is_stranger;
	member->holder = MEMBER_HOLDER_NONE;
	return true;
}

/* Who holds the member that a client would be. */
static uint32_t
attend_holder(const struct hub *hub, const struct client *client)
{
	const struct address_share *share = client->conn.io.data;

	return share == NULL
	           ? MEMBER_HOLDER_NONE
	           : member_holder(hub->seg, address_bytes(share), ADDRESS_KEY);
}

bool
attend_allows(struct hub *hub, const struct client *client, uint32_t slot)
{
	struct member_user user;

	return client->identity == IDENTITY_NOBODY ||
	       !attend_user(hub, client->identity, &user) ||
	       member_may_hold(hub->seg, attend_holder(hub, client)) ||
	       member_find(hub->seg, slot, &user) != MEMBER_NONE;
}

static struct members_at
attend_at(struct hub *hub)
{
	return (struct members_at){ .ring = &hub->ring,
		.now_ms = clock_monotonic_ms(),
		.time_ms = clock_wall_ms() };
}

static void
attend_set_uncounted(struct hub *hub, struct sub *sub, bool is_uncounted)
{
	if (sub->is_uncounted == is_uncounted)
		return;
	sub->is_uncounted = is_uncounted;
	hub->attend->uncounted += is_uncounted ? 1 : UINT32_MAX;
	stats_set(
	    &hub->net->stats, STATS_MEMBERS_UNCOUNTED, hub->attend->uncounted);
}

void
attend_begin(struct hub *hub, struct sub *sub)
{
	uint32_t identity = sub->client->identity;
	struct member_user user;
	struct members_at at;
	enum members_status status;

	if (identity == IDENTITY_NOBODY || sub->is_member ||
	    !attend_user(hub, identity, &user))
		return;
	user.holder = attend_holder(hub, sub->client);
	at = attend_at(hub);
	status = members_arrive(&at, sub->topic->slot, &user);
	hub->attend->wake |= at.wake;
	sub->is_member = status == MEMBERS_OK;
	attend_set_uncounted(hub, sub, status == MEMBERS_FULL);
}

void
attend_end(struct hub *hub, struct sub *sub)
{
	struct attend *attend = hub->attend;

	attend_set_uncounted(hub, sub, false);
	if (!sub->is_member)
		return;
	sub->is_member = false;
	if (attend->gone_count == attend->gone_max) {
		attend->gone_max = attend->gone_max * 2 + 16;
		attend->gone = xreallocarray(
		    attend->gone, attend->gone_max, sizeof(*attend->gone));
	}
	access_hold(hub->access, sub->client->identity);
	attend->gone[attend->gone_count++] =
	    (struct attend_gone){ .topic = sub->topic->slot,
		    .identity = sub->client->identity };
	hub->net->more = true;
}

void
attend_end_all(struct hub *hub, struct client *client)
{
	struct sub *sub;

	SLIST_FOREACH(sub, &client->subs, link)
		attend_end(hub, sub);
}

void
attend_begin_all(struct hub *hub, struct client *client)
{
	struct sub *sub;

	SLIST_FOREACH(sub, &client->subs, link) {
		sub->is_excess = !sub->is_member &&
		                 !attend_allows(hub, client, sub->topic->slot);
		if (!sub->is_excess)
			attend_begin(hub, sub);
	}
}

/* Those whose subscriptions have ended depart.  When the ring is sealed the server
 * leaves, and they stay until the next one has seen who comes back. */
static void
attend_depart(struct hub *hub, struct members_at *at)
{
	struct attend *attend = hub->attend;
	bool is_sealed = atomic_load(&hub->seg->header->sealed);
	struct member_user user;

	for (uint32_t i = 0; i < attend->gone_count; i++) {
		const struct attend_gone *gone = &attend->gone[i];

		if (!is_sealed && attend_user(hub, gone->identity, &user))
			members_depart(at, gone->topic, &user,
			    hub->net->config->leave_delay_ms);
		access_release(hub->access, gone->identity);
	}
	attend->gone_count = 0;
}

/* Try again to count those for whom there was no room. */
static void
attend_count(struct hub *hub)
{
	struct conn *c;
	struct sub *sub;

	LIST_FOREACH(c, &hub->net->conns.living, link)
		SLIST_FOREACH(sub, &client_of(c)->subs, link)
			if (sub->is_uncounted && hub->attend->uncounted > 0)
				attend_begin(hub, sub);
}

/* Whether a member leaves now.  When the ring is sealed, none does. */
static bool
attend_is_due(const struct hub *hub)
{
	uint64_t due = members_due_at(hub->seg);

	return due != 0 && due <= clock_monotonic_ms() &&
	       !atomic_load(&hub->seg->header->sealed);
}

static void
attend_set_due(struct hub *hub)
{
	hub->attend->is_due = true;
	hub->net->more = true;
}

void
attend_turn(struct hub *hub)
{
	struct attend *attend = hub->attend;
	struct members_at at;

	if (!attend_has_work(attend))
		return;
	at = attend_at(hub);
	attend_depart(hub, &at);
	if (attend->is_due) {
		attend->is_due = false;
		members_leave_due(&at);
		if (attend->uncounted > 0)
			attend_count(hub);
	}
	attend->wake |= at.wake;
	if (attend_is_due(hub))
		attend_set_due(hub);
}

void
attend_take_slot(struct hub *hub)
{
	struct members_at at = attend_at(hub);

	members_clear_worker(&at, hub->slot, hub->net->config->leave_delay_ms);
	hub->attend->must_clear = false;
	attend_tick(hub);
}

/* One subscription that was here before. */
static void
attend_recount(struct hub *hub, struct members_at *at, struct sub *sub)
{
	struct member_user user;

	if (sub->client->identity != IDENTITY_NOBODY &&
	    attend_user(hub, sub->client->identity, &user))
		sub->is_member =
		    members_recount(at, sub->topic->slot, &user, hub->slot);
}

void
attend_adopt(struct hub *hub)
{
	struct members_at at = attend_at(hub);
	uint32_t delay_ms = hub->net->config->leave_delay_ms;
	struct conn *c;
	struct sub *sub;

	members_recount_begin(&at, hub->slot, delay_ms);
	LIST_FOREACH(c, &hub->net->conns.living, link)
		SLIST_FOREACH(sub, &client_of(c)->subs, link)
			attend_recount(hub, &at, sub);
	members_recount_end(&at, delay_ms);
	LIST_FOREACH(c, &hub->net->conns.living, link)
		SLIST_FOREACH(sub, &client_of(c)->subs, link)
			attend_begin(hub, sub);
	attend_tick(hub);
}

void
attend_tick(struct hub *hub)
{
	if (attend_is_due(hub) ||
	    (hub->attend->uncounted > 0 && member_has_room(hub->seg)))
		attend_set_due(hub);
}

bool
attend_knows_all(const struct hub *hub)
{
	return members_are_all_known(hub->seg);
}
