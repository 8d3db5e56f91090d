/* SPDX-License-Identifier: MIT */
/* ask.c - see ask.h. */

#include "broker/shared/ask.h"

#include "broker/shared/words.h"
#include "common/bug.h"

#include <string.h>

_Static_assert(sizeof(struct ask_question) % 8 == 0 &&
		   sizeof(struct ask_question) <= LAYOUT_ASK_WORDS * 8,
    "a question fits into its words");
_Static_assert(sizeof(struct ask_head) % 8 == 0, "text begins at a word");

uint64_t
ask_put(struct segment *seg, unsigned asker,
    const struct ask_question *question, uint64_t targets)
{
	struct layout_ask *ask = &seg->asks[asker];
	uint64_t id = words_begin_write(&ask->id) + 1;

	words_store(ask->words, question, sizeof(*question));
	atomic_store_explicit(&ask->targets, targets, memory_order_relaxed);
	atomic_store_explicit(&ask->taken, 0, memory_order_relaxed);
	atomic_store_explicit(&ask->id, id, memory_order_release);
	atomic_fetch_add(&seg->header->asking, 1);
	return id;
}

void
ask_end(struct segment *seg, unsigned asker)
{
	const struct ask_question nothing = { 0 };

	ask_put(seg, asker, &nothing, 0);
}

bool
ask_take(struct segment *seg, unsigned asker, unsigned worker, uint64_t id,
    struct ask_head *head, char *text)
{
	const struct layout_answer *answer = &seg->answers[worker];
	uint64_t version = words_version(&answer->version);

	words_load(head, answer->words, sizeof(*head));
	if (head->asker != asker || head->id != id ||
	    head->text_len > ASK_TEXT_MAX)
		return false;
	words_load(text, &answer->words[sizeof(*head) / 8], head->text_len);
	if (!words_are_whole(&answer->version, version))
		return false;
	atomic_fetch_or(&seg->asks[asker].taken, UINT64_C(1) << worker);
	return true;
}

void
asked_init(struct asked *asked, const struct segment *seg)
{
	memset(asked, 0, sizeof(*asked));
	for (unsigned a = 0; a < LAYOUT_ASKERS; a++)
		asked->answered[a] = atomic_load(&seg->asks[a].id);
}

/* Whether this answer of ours must stay: its asker has not taken it yet. */
static bool
asked_is_held(const struct asked *asked, const struct segment *seg,
    unsigned worker, uint64_t now_ms)
{
	const struct layout_ask *ask;
	struct ask_head head;

	if (now_ms >= asked->held_until_ms)
		return false;
	words_load(&head, seg->answers[worker].words, sizeof(head));
	if (head.asker >= LAYOUT_ASKERS)
		return false;
	ask = &seg->asks[head.asker];
	return atomic_load(&ask->id) == head.id &&
	       (atomic_load(&ask->taken) >> worker & 1) == 0;
}

/* Read a question of this asker, if it is new and for this worker. */
static bool
asked_read(struct asked *asked, const struct segment *seg, unsigned worker,
    unsigned asker, struct ask_question *question)
{
	const struct layout_ask *ask = &seg->asks[asker];
	uint64_t id = words_version(&ask->id);
	uint64_t targets;

	if (id == asked->answered[asker])
		return false;
	words_load(question, ask->words, sizeof(*question));
	words_load(&targets, &ask->targets, sizeof(targets));
	if (!words_are_whole(&ask->id, id))
		return false; /* its asker rings when it is */
	asked->answered[asker] = id;
	return (targets >> worker & 1) != 0 &&
	       question->user_len <= ASK_USER_MAX &&
	       question->reason_len <= ASK_REASON_MAX;
}

bool
asked_next(struct asked *asked, const struct segment *seg, unsigned worker,
    uint64_t now_ms, unsigned *asker, uint64_t *id,
    struct ask_question *question)
{
	asked->asking = atomic_load(&seg->header->asking);
	asked->is_behind = asked_is_held(asked, seg, worker, now_ms);
	if (asked->is_behind)
		return false;
	for (unsigned i = 0; i < LAYOUT_ASKERS; i++) {
		unsigned a = (asked->next + i) % LAYOUT_ASKERS;

		if (!asked_read(asked, seg, worker, a, question))
			continue;
		asked->next = a + 1;
		asked->is_behind = true;
		*asker = a;
		*id = asked->answered[a];
		return true;
	}
	return false;
}

void
asked_answer(struct asked *asked, struct segment *seg, unsigned worker,
    unsigned asker, uint64_t id, uint64_t now_ms, struct ask_head *head,
    const char *text, uint32_t text_len)
{
	struct layout_answer *answer = &seg->answers[worker];
	uint64_t version;

	CHECK(text_len <= ASK_TEXT_MAX);
	head->id = id;
	head->asker = asker;
	head->text_len = text_len;
	head->unused = 0;
	version = words_begin_write(&answer->version) + 1;
	words_store(answer->words, head, sizeof(*head));
	words_store(&answer->words[sizeof(*head) / 8], text, text_len);
	atomic_store_explicit(&answer->version, version, memory_order_release);
	asked->held_until_ms = now_ms + ASK_HOLD_MS;
}
