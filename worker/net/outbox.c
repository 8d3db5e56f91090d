/* SPDX-License-Identifier: MIT */
/* outbox.c - see outbox.h. */

#include "worker/net/outbox.h"

#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
outbox_init(struct outbox *box)
{
	memset(box, 0, sizeof(*box));
}

void
outbox_fini(struct outbox *box)
{
	free(box->entries);
	free(box->runs);
	outbox_init(box);
}

static struct outbox_entry *
outbox_entry(struct outbox *box, struct conn *c)
{
	if (c->pending != 0)
		return &box->entries[c->pending - 1];
	if (box->entries_count == box->entries_max) {
		box->entries_max = box->entries_max * 2 + 64;
		box->entries = xreallocarray(
		    box->entries, box->entries_max, sizeof(*box->entries));
	}
	box->entries[box->entries_count] = (struct outbox_entry){ .conn = c };
	c->pending = ++box->entries_count;
	return &box->entries[c->pending - 1];
}

void
outbox_touch(struct outbox *box, struct conn *c)
{
	outbox_entry(box, c);
}

/* Append a run to a connection's; neighbours are merged. */
static void
outbox_run(struct outbox *box, struct conn *c, uint32_t first, uint32_t count,
    bool replayed)
{
	struct outbox_entry *entry = outbox_entry(box, c);
	struct outbox_run *last;

	if (entry->last != 0) {
		last = &box->runs[entry->last - 1];
		if (last->first + last->count == first &&
		    last->replayed == replayed) {
			last->count += count;
			return;
		}
	}
	if (box->runs_count == box->runs_max) {
		box->runs_max = box->runs_max * 2 + 64;
		box->runs =
		    xreallocarray(box->runs, box->runs_max, sizeof(*box->runs));
	}
	box->runs[box->runs_count++] = (struct outbox_run){
		.first = first, .count = count, .replayed = replayed
	};
	if (entry->last != 0)
		box->runs[entry->last - 1].next = box->runs_count;
	else
		entry->first = box->runs_count;
	entry->last = box->runs_count;
}

void
outbox_frames(
    struct outbox *box, struct conn *c, uint32_t first, uint32_t count)
{
	outbox_run(box, c, first, count, false);
}

void
outbox_replay(
    struct outbox *box, struct conn *c, uint32_t first, uint32_t count)
{
	outbox_run(box, c, first, count, true);
}

bool
outbox_is_replayed(const struct outbox *box, const struct conn *c)
{
	uint32_t last = c->pending != 0 ? box->entries[c->pending - 1].last : 0;

	return last != 0 && box->runs[last - 1].replayed;
}
