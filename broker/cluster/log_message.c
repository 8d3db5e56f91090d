/* SPDX-License-Identifier: MIT */
/* log_message.c - see log_message.h. */

#include "broker/cluster/log_message.h"

#include "broker/cluster/numbers.h"
#include "common/bug.h"

#include <string.h>

#define LOG_MAGIC "psd1"

/* Where the members of a head are. */
enum {
	HEAD_KIND = 4,
	HEAD_ORIGIN = 8,
	HEAD_PREV = 16,
	HEAD_ROUND = 24,
	HEAD_COUNT = 28
};

/* And those of a checkpoint. */
enum {
	STATE_POS = LOG_HEAD,
	STATE_HASH = LOG_HEAD + 8,
	STATE_NAME = LOG_HEAD + 16,
	STATE_ORIGINS = STATE_NAME + LOG_NAME
};

#define LOG_ORIGIN 24u /* bytes of one of its origins */

static void
log_open(struct buf *out, enum log_kind kind, uint64_t origin, uint64_t prev,
    uint32_t count)
{
	char *head = buf_room(out, LOG_HEAD);

	memset(head, 0, LOG_HEAD);
	memcpy(head, LOG_MAGIC, 4);
	head[HEAD_KIND] = (char)kind;
	put_u64(head + HEAD_ORIGIN, origin);
	put_u64(head + HEAD_PREV, prev);
	put_u32(head + HEAD_COUNT, count);
	out->len += LOG_HEAD;
}

void
log_batch_open(struct buf *out, uint64_t origin, uint64_t prev)
{
	buf_reset(out);
	log_open(out, LOG_BATCH, origin, prev, 0);
}

void
log_batch_add(struct buf *out, const struct ring_record *rec)
{
	char *at = buf_room(out, LOG_RECORD_HEAD);

	put_u64(at, rec->time_ms);
	put_u64(at + 8, rec->conn);
	put_u32(at + 16, rec->body_len);
	put_u16(at + 20, rec->worker);
	at[22] = (char)rec->name_len;
	at[23] = (char)(rec->flags & RECORD_UNNUMBERED);
	out->len += LOG_RECORD_HEAD;
	buf_add(out, rec->name, rec->name_len);
	buf_add(out, rec->body, rec->body_len);
	put_u32(out->at + HEAD_COUNT, get_u32(out->at + HEAD_COUNT) + 1);
}

void
log_lost(struct buf *out, uint64_t origin, uint64_t prev, uint32_t n)
{
	buf_reset(out);
	log_open(out, LOG_LOST, origin, prev, n);
}

void
log_batch_set_round(struct buf *batch, uint32_t round)
{
	put_u32(batch->at + HEAD_ROUND, round);
}

void
log_batch_trim(struct buf *batch, uint32_t n)
{
	uint32_t count = get_u32(batch->at + HEAD_COUNT);
	struct log_record rec;
	size_t at = LOG_HEAD;

	CHECK(n < count);
	for (uint32_t i = 0; i < n; i++)
		log_record_next(batch->at, &at, &rec);
	memmove(batch->at + LOG_HEAD, batch->at + at, batch->len - at);
	batch->len -= at - LOG_HEAD;
	put_u32(batch->at + HEAD_COUNT, count - n);
	put_u64(batch->at + HEAD_PREV, get_u64(batch->at + HEAD_PREV) + n);
}

void
log_checkpoint(struct buf *out, enum log_kind kind, uint64_t origin,
    const char *name, const struct ring_log_state *state)
{
	size_t rest = STATE_ORIGINS - LOG_HEAD;
	char *at;

	buf_reset(out);
	log_open(out, kind, origin, 0, state->count);
	buf_room(out, rest + state->count * LOG_ORIGIN);
	memset(out->at + out->len, 0, rest);
	put_u64(out->at + STATE_POS, state->pos);
	put_u64(out->at + STATE_HASH, state->hash);
	memcpy(out->at + STATE_NAME, name, strnlen(name, LOG_NAME));
	at = out->at + STATE_ORIGINS;
	for (uint32_t i = 0; i < state->count; i++, at += LOG_ORIGIN) {
		put_u64(at, state->origins[i].id);
		put_u64(at + 8, state->origins[i].last);
		put_u64(at + 16, state->origins[i].touched);
	}
	out->len = STATE_ORIGINS + state->count * LOG_ORIGIN;
}

/* Whether so many records are just what stands behind the head. */
static bool
log_is_whole_batch(const char *data, size_t len, uint32_t count)
{
	size_t at = LOG_HEAD, rest;

	for (uint32_t i = 0; i < count; i++) {
		if (len - at < LOG_RECORD_HEAD)
			return false;
		rest = (uint8_t)data[at + 22] + (size_t)get_u32(data + at + 16);
		at += LOG_RECORD_HEAD;
		if (len - at < rest)
			return false;
		at += rest;
	}
	return at == len;
}

bool
log_read(const void *data, size_t len, struct log_head *head)
{
	const char *at = data;

	if (len < LOG_HEAD || memcmp(at, LOG_MAGIC, 4) != 0)
		return false;
	*head = (struct log_head){
		.kind = (enum log_kind)at[HEAD_KIND],
		.round = get_u32(at + HEAD_ROUND),
		.count = get_u32(at + HEAD_COUNT),
		.origin = get_u64(at + HEAD_ORIGIN),
		.prev = get_u64(at + HEAD_PREV),
	};
	switch (head->kind) {
	case LOG_BATCH:
		return head->origin != 0 && head->count > 0 &&
		       head->count <= LOG_RECORDS_MAX &&
		       head->prev < UINT64_C(1) << 53 &&
		       log_is_whole_batch(at, len, head->count);
	case LOG_LOST:
		return head->origin != 0 && head->count > 0 &&
		       head->prev < UINT64_C(1) << 53 && len == LOG_HEAD;
	case LOG_CHECKPOINT:
	case LOG_GENESIS:
		return head->origin != 0 && head->count <= LAYOUT_ORIGINS &&
		       len == STATE_ORIGINS + head->count * (size_t)LOG_ORIGIN;
	}
	return false;
}

void
log_record_next(const void *data, size_t *at, struct log_record *rec)
{
	const char *from = (const char *)data + *at;

	rec->time_ms = get_u64(from);
	rec->conn = get_u64(from + 8);
	rec->body_len = get_u32(from + 16);
	rec->worker = get_u16(from + 20);
	rec->name_len = (uint8_t)from[22];
	rec->flags = (uint8_t)from[23] & RECORD_UNNUMBERED;
	rec->name = from + LOG_RECORD_HEAD;
	rec->body = rec->name + rec->name_len;
	*at += LOG_RECORD_HEAD + rec->name_len + (size_t)rec->body_len;
}

void
log_read_state(
    const void *data, struct ring_log_state *state, char name[LOG_NAME + 1])
{
	const char *from = data, *at = from + STATE_ORIGINS;

	memset(state, 0, sizeof(*state));
	state->pos = get_u64(from + STATE_POS);
	state->hash = get_u64(from + STATE_HASH);
	state->count = get_u32(from + HEAD_COUNT);
	memcpy(name, from + STATE_NAME, LOG_NAME);
	name[LOG_NAME] = '\0';
	for (uint32_t i = 0; i < state->count; i++, at += LOG_ORIGIN)
		state->origins[i] = (struct layout_origin){
			.id = get_u64(at),
			.last = get_u64(at + 8),
			.touched = get_u64(at + 16),
		};
}
