/* SPDX-License-Identifier: MIT */
/* hosts.c - see hosts.h. */

#include "broker/cli/client/hosts.h"

#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

/* Close codes from here on are about the client. */
#define HOSTS_CODE_OF_CLIENT 4000u

void
hosts_add(struct hosts *hosts, const struct url *url)
{
	for (size_t i = 0; i < hosts->len; i++)
		if (strcmp(hosts->all[i].url.text, url->text) == 0)
			return;
	hosts->all =
	    xreallocarray(hosts->all, hosts->len + 1, sizeof(*hosts->all));
	hosts->all[hosts->len++] = (struct host){ .url = *url };
}

void
hosts_fini(struct hosts *hosts)
{
	free(hosts->all);
	*hosts = (struct hosts){ 0 };
}

void
hosts_shuffle(struct hosts *hosts, const uint32_t *random)
{
	for (size_t i = 1; i + 1 < hosts->len; i++) {
		size_t with = i + random[i] % (hosts->len - i);
		struct host host = hosts->all[i];

		hosts->all[i] = hosts->all[with];
		hosts->all[with] = host;
	}
}

void
hosts_go(struct hosts *hosts)
{
	hosts->here = hosts->next;
	hosts_here(hosts)->was_tried = true;
}

bool
hosts_have_untried(const struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->len; i++)
		if (!hosts->all[i].was_tried)
			return true;
	return false;
}

/* Whether another host would do no better. */
static bool
hosts_stay(const struct outcome *end)
{
	return end->kind == CLIENT_UNREADY ||
	       (end->kind == CLIENT_CLOSED &&
		   end->code >= HOSTS_CODE_OF_CLIENT);
}

/* The next in the order that is not to be left alone, or whose time comes
 * first. */
static size_t
hosts_choose(const struct hosts *hosts, uint64_t now_ms)
{
	size_t best = (hosts->here + 1) % hosts->len;

	for (size_t n = 1; n <= hosts->len; n++) {
		size_t i = (hosts->here + n) % hosts->len;

		if (hosts->all[i].again_ms <= now_ms)
			return i;
		if (hosts->all[i].again_ms < hosts->all[best].again_ms)
			best = i;
	}
	return best;
}

uint64_t
hosts_lost(struct hosts *hosts, const struct outcome *end, bool was_open,
    uint64_t now_ms, uint32_t random)
{
	struct host *here = hosts_here(hosts);
	bool has_wish = here->retry.has_drain;
	uint64_t alone = retry_delay(&here->retry, end, random);
	struct retry fresh;

	here->again_ms = now_ms + alone;
	hosts->next =
	    hosts_stay(end) ? hosts->here : hosts_choose(hosts, now_ms);
	if (hosts->next == hosts->here || (was_open && has_wish))
		return alone;
	if (hosts_next(hosts)->again_ms > now_ms)
		return hosts_next(hosts)->again_ms - now_ms;
	if (!was_open)
		return 0;
	fresh = (struct retry){ .welcome = hosts_next(hosts)->retry.welcome };
	return retry_delay(
	    &fresh, &(struct outcome){ .kind = CLIENT_LOST }, random);
}
