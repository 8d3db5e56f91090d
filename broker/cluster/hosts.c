/* SPDX-License-Identifier: MIT */
/* hosts.c - see hosts.h. */

#include "broker/cluster/hosts.h"

/* This host's own checkpoints come back twice a second. */
#define HOSTS_SILENCE_MS 1000u

static uint64_t
hosts_load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(
	    (_Atomic uint64_t *)(uintptr_t)word, memory_order_relaxed);
}

void
hosts_note(struct layout_cluster *c, uint64_t origin, uint64_t now_ms)
{
	unsigned at = 0;

	for (unsigned i = 0; i < LAYOUT_ORIGINS; i++) {
		if (hosts_load(&c->hosts[i].origin) == origin) {
			at = i;
			break;
		}
		if (hosts_load(&c->hosts[i].heard_ms) <
		    hosts_load(&c->hosts[at].heard_ms))
			at = i;
	}
	if (hosts_load(&c->hosts[at].origin) != origin) {
		atomic_store(&c->hosts[at].heard_ms, 0);
		atomic_store(&c->hosts[at].origin, origin);
	}
	atomic_store(&c->hosts[at].heard_ms, now_ms);
}

void
hosts_heard_log(struct layout_cluster *c, uint64_t now_ms)
{
	uint64_t silence = now_ms - hosts_load(&c->heard_ms);

	for (unsigned i = 0; silence > HOSTS_SILENCE_MS && i < LAYOUT_ORIGINS;
	     i++) {
		uint64_t heard = hosts_load(&c->hosts[i].heard_ms);

		if (heard != 0 && heard + silence <= now_ms)
			atomic_store(&c->hosts[i].heard_ms, heard + silence);
	}
	atomic_store_explicit(&c->heard_ms, now_ms, memory_order_relaxed);
}

uint32_t
hosts_others(const struct layout_cluster *c, uint64_t origins[LAYOUT_ORIGINS])
{
	uint64_t heard_log = hosts_load(&c->heard_ms);
	uint32_t count = 0;

	for (unsigned i = 0; i < LAYOUT_ORIGINS; i++) {
		uint64_t heard = hosts_load(&c->hosts[i].heard_ms);
		uint64_t origin = hosts_load(&c->hosts[i].origin);

		if (heard != 0 && heard + HOSTS_GONE_MS > heard_log &&
		    origin != c->self)
			origins[count++] = origin;
	}
	return count;
}
