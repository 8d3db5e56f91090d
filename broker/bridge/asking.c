/* SPDX-License-Identifier: MIT */
/* asking.c - see asking.h. */

#include "broker/bridge/asking.h"

#include "broker/bridge/link.h"
#include "broker/cluster/hosts.h"
#include "broker/shared/wakeup.h"
#include "common/random.h"

#include <string.h>

void
asking_init(struct asking *a, struct segment *seg, struct wakeup *wakeup,
    struct link *link, bool meets, uint64_t now_ms)
{
	memset(a, 0, sizeof(*a));
	a->seg = seg;
	a->wakeup = wakeup;
	a->link = link;
	a->meets_until_ms = meets ? now_ms + ASKING_MEET_MS : 0;
	questions_seen_init(&a->seen, seg);
	/* Answers to a predecessor are to no number of ours. */
	random_fill(&a->numbers, sizeof(a->numbers));
	part_init(&a->part);
	buf_init(&a->text);
	for (unsigned i = 0; i < LAYOUT_QUESTIONS; i++)
		part_init(&a->out[i].part);
}

/* Take a host out of a list.  Returns whether it was there. */
static bool
asking_remove(uint64_t *origins, uint32_t *count, uint64_t origin)
{
	for (uint32_t i = 0; i < *count; i++)
		if (origins[i] == origin) {
			origins[i] = origins[--*count];
			return true;
		}
	return false;
}

static bool
asking_has_missed(const struct asking *a, uint64_t origin)
{
	for (uint32_t i = 0; i < a->missed_count; i++)
		if (a->missed[i] == origin)
			return true;
	return false;
}

/* These are not waited for until they have answered. */
static void
asking_note_missed(struct asking *a, const struct asking_one *one)
{
	for (uint32_t i = 0; i < one->others_count; i++) {
		if (asking_has_missed(a, one->others[i]))
			continue;
		if (a->missed_count == LAYOUT_ORIGINS)
			a->missed_count = 0; /* most of them are no more */
		a->missed[a->missed_count++] = one->others[i];
	}
}

/* Tell the worker: whoever has not answered is silent. */
static void
asking_end(struct asking *a, struct asking_one *one)
{
	one->is_out = false;
	one->part.hosts += one->others_count;
	one->part.silent = one->others_count;
	buf_reset(&a->text);
	part_write(&a->text, &one->part);
	questions_answer(
	    a->seg, (uint32_t)(one - a->out), one->id, a->text.at, a->text.len);
	wakeup_ring(a->wakeup, one->worker);
}

/* Whether anybody's answer is waited for. */
static bool
asking_waits(const struct asking *a, const struct asking_one *one)
{
	if (one->meets)
		return true;
	for (uint32_t i = 0; i < one->others_count; i++)
		if (!asking_has_missed(a, one->others[i]))
			return true;
	return false;
}

static bool
asking_publish(struct asking *a, const struct asking_one *one)
{
	const struct host_message head = { .kind = HOST_ASKS,
		.origin = a->seg->header->cluster.self,
		.number = one->number };

	buf_reset(&a->text);
	host_message_write(&a->text, &head);
	buf_add(&a->text, a->one.bytes, a->one.len);
	return link_is_up(a->link) &&
	       link_ask_hosts(a->link, a->text.at, a->text.len);
}

/* A worker has asked: a->one. */
static void
asking_begin(struct asking *a, uint64_t now)
{
	struct asking_one *one = &a->out[a->one.slot];
	struct question question;
	bool is_asked;

	one->is_out = true;
	one->meets = now < a->meets_until_ms;
	one->worker = a->one.worker;
	one->id = a->one.id;
	one->number = ++a->numbers;
	one->until_ms = now + ASKING_WAIT_MS;
	one->others_count = hosts_others(&a->seg->header->cluster, one->others);
	part_fini(&one->part);
	part_init(&one->part);
	one->part.hosts = 0;
	is_asked = question_read(a->one.bytes, a->one.len, &question) &&
	           (one->others_count > 0 || one->meets);
	one->limit = question.limit;
	if (!is_asked || !asking_publish(a, one) || !asking_waits(a, one))
		asking_end(a, one);
}

void
asking_turn(struct asking *a, uint64_t now)
{
	for (unsigned i = 0; i < LAYOUT_QUESTIONS; i++) {
		if (!a->out[i].is_out || now < a->out[i].until_ms)
			continue;
		asking_note_missed(a, &a->out[i]);
		asking_end(a, &a->out[i]);
	}
	while (questions_next(&a->seen, a->seg, &a->one))
		asking_begin(a, now);
}

/* The question of this number, if it is still out. */
static struct asking_one *
asking_find(struct asking *a, uint64_t number)
{
	for (unsigned i = 0; i < LAYOUT_QUESTIONS; i++)
		if (a->out[i].is_out && a->out[i].number == number)
			return &a->out[i];
	return NULL;
}

void
asking_answered(struct asking *a, const struct host_message *message,
    const void *text, size_t len)
{
	struct asking_one *one = asking_find(a, message->number);

	asking_remove(a->missed, &a->missed_count, message->origin);
	if (one == NULL || !part_read(text, len, &a->part))
		return;
	/* One that is not known counts, too; nobody's second answer does. */
	if (!asking_remove(one->others, &one->others_count, message->origin) &&
	    !one->meets)
		return;
	a->part.hosts = 1;
	a->part.silent = 0;
	part_merge(&one->part, &a->part, one->limit);
	if (!asking_waits(a, one))
		asking_end(a, one);
}

int
asking_due_in(const struct asking *a, uint64_t now)
{
	int due = -1;

	for (unsigned i = 0; i < LAYOUT_QUESTIONS; i++) {
		const struct asking_one *one = &a->out[i];
		int in;

		if (!one->is_out)
			continue;
		in = one->until_ms > now ? (int)(one->until_ms - now) : 0;
		if (due == -1 || in < due)
			due = in;
	}
	return due;
}
