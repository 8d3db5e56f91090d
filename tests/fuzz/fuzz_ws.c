/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ws.c - WebSocket frames, to a server and to a client.
 *
 * The bytes are fed whole, one by one, in random pieces, with a pause at every
 * event, and with each whole message taken the short way (ws_whole.h) as a
 * worker does; the events, the pongs to send and the end are the same each time.
 * The first byte of the input chooses the role, the longest message, and whether
 * messages may be compressed.
 */

#include "common/buf.h"
#include "common/utf8.h"
#include "common/ws.h"
#include "common/ws_whole.h"
#include "tests/fuzz/fuzz.h"

/* Who owns the connection, and what came of it, written down. */
struct owner {
	struct ws *ws;
	bool is_pausing;
	bool may_deflate;
	uint64_t short_max; /* longest message taken the short way, 0: none */
	enum ws_status status;
	bool is_clean; /* at the end */
	struct buf told;
	struct buf out;
};

static void
note(struct owner *o, char what, unsigned detail, const char *data, size_t len)
{
	buf_printf(&o->told, "\n%c %u %zu ", what, detail, len);
	buf_add(&o->told, data, len);
	if (o->is_pausing)
		ws_pause(o->ws);
}

static void
on_message(void *owner, enum ws_opcode opcode, const char *data, size_t len)
{
	CHECK(opcode == WS_TEXT || opcode == WS_BINARY);
	CHECK(opcode == WS_BINARY || utf8_valid(data, len));
	note(owner, 'm', opcode, data, len);
}

static void
on_inflated(void *owner, size_t from, size_t to)
{
	struct owner *o = owner;

	CHECK(o->may_deflate);
	note(o, 'i', (unsigned)from, "", 0);
	buf_printf(&o->told, "to %zu", to);
}

static void
on_control(void *owner, enum ws_opcode opcode)
{
	CHECK(opcode == WS_PING || opcode == WS_PONG);
	note(owner, 'c', opcode, "", 0);
}

static void
on_closing(void *owner, bool by_peer, unsigned code, const char *reason,
    size_t reason_len)
{
	CHECK(reason_len <= WS_REASON_MAX && utf8_valid(reason, reason_len));
	CHECK(by_peer || code == WS_CODE_PROTOCOL || code == WS_CODE_BAD_DATA ||
	      code == WS_CODE_TOO_BIG);
	note(owner, by_peer ? 'e' : 'f', code, reason, reason_len);
}

static const struct ws_events events = {
	.message = on_message,
	.inflated = on_inflated,
	.control = on_control,
	.closing = on_closing,
};

/* A client's pong without its mask, which is random. */
static void
note_pong(struct owner *o, const uint8_t *frame, size_t len)
{
	size_t payload = frame[1] & 0x7f;
	const uint8_t *mask = frame + 2;

	CHECK(frame[0] == (0x80 | WS_PONG) && payload <= 125);
	if ((frame[1] & 0x80) == 0) {
		CHECK(len == 2 + payload);
		buf_add(&o->out, frame, len);
		return;
	}
	CHECK(len == 6 + payload);
	buf_add(&o->out, frame, 2);
	for (size_t i = 0; i < payload; i++)
		buf_add(&o->out, &(uint8_t){ frame[6 + i] ^ mask[i % 4] }, 1);
}

/* Take what there is to send, a frame at a time. */
static void
drain(struct owner *o)
{
	uint8_t out[WS_OUTPUT_MAX];
	size_t len, at;

	while ((len = ws_output(o->ws, out, sizeof(out))) > 0) {
		CHECK(len <= sizeof(out));
		for (at = 0; at < len;) {
			size_t frame = 2u + (out[at + 1] & 0x7f) +
			               (out[at + 1] & 0x80 ? 4 : 0);

			CHECK(frame <= len - at);
			note_pong(o, out + at, frame);
			at += frame;
		}
	}
}

/* Take a message the short way, if it may be; what is not taken is left as it
 * was. */
static size_t
feed_whole(struct owner *o, char *data, size_t len)
{
	struct ws_whole whole;
	char *before;
	size_t used;

	if (o->short_max == 0 || !ws_is_clean(o->ws))
		return 0;
	before = fuzz_copy(data, len);
	used = ws_take_whole(data, len, o->short_max, &whole);
	CHECK(used <= len);
	CHECK(memcmp(before + used, data + used, len - used) == 0);
	free(before);
	if (used > 0) {
		CHECK(fuzz_within(whole.text, whole.len, data, used));
		on_message(o, WS_TEXT, whole.text, whole.len);
	}
	return used;
}

static size_t
feed_parser(struct owner *o, const char *data, size_t len)
{
	uint64_t rest = ws_frame_rest(o->ws);
	size_t taken;

	if (o->short_max != 0 && rest > 0 && rest < len)
		len = (size_t)rest;
	o->status = ws_feed(o->ws, data, len, &taken);
	CHECK(taken <= len);
	CHECK(taken > 0 || o->status != WS_OK);
	CHECK(o->status != WS_OK || o->is_pausing || taken == len);
	drain(o);
	return taken;
}

/* Feed a piece until it is taken or the connection has ended. */
static void
feed(struct owner *o, const uint8_t *data, size_t len)
{
	char *copy = fuzz_copy(data, len);
	size_t at = 0, taken;

	while (o->status == WS_OK && at < len) {
		taken = feed_whole(o, copy + at, len - at);
		if (taken == 0)
			taken = feed_parser(o, copy + at, len - at);
		at += taken;
	}
	free(copy);
}

static void
begin(struct owner *o, struct ws_pool *pool, bool may_deflate)
{
	memset(o, 0, sizeof(*o));
	o->may_deflate = may_deflate;
	o->ws = ws_borrow(pool, o);
	CHECK(o->ws != NULL);
	if (may_deflate)
		ws_allow_deflate(o->ws);
}

/* Feed all, in pieces of random size up to `most', and give the parser back. */
static void
run(struct owner *o, struct ws_pool *pool, struct dice *dice,
    const uint8_t *data, size_t size, size_t most)
{
	while (size > 0 && o->status == WS_OK) {
		size_t len = 1 + dice_below(dice, most);

		len = len < size ? len : size;
		feed(o, data, len);
		data += len;
		size -= len;
	}
	CHECK(o->status != WS_NOMEM);
	o->is_clean = ws_is_clean(o->ws);
	ws_return(pool, &o->ws);
}

static void
check_same(const struct owner *a, const struct owner *b)
{
	CHECK(a->status == b->status && a->is_clean == b->is_clean);
	CHECK(a->told.len == b->told.len);
	CHECK(a->told.len == 0 ||
	      memcmp(a->told.at, b->told.at, a->told.len) == 0);
	CHECK(a->out.len == b->out.len);
	CHECK(a->out.len == 0 || memcmp(a->out.at, b->out.at, a->out.len) == 0);
}

static void
forget(struct owner *o)
{
	buf_fini(&o->told);
	buf_fini(&o->out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dice dice = fuzz_dice(data, size);
	struct owner whole, split;
	struct ws_pool *pool;
	bool may_deflate;
	size_t len = size > 0 ? size - 1 : 0;
	uint64_t most;

	if (size == 0)
		return 0;
	most = UINT64_C(1) << (data[0] >> 1) % 20;
	may_deflate = (data[0] & 0x80) != 0;
	pool =
	    ws_pool_new(data[0] & 1 ? WS_CLIENT : WS_SERVER, most, 2, &events);
	/* One piece: the dice have no choice. */
	begin(&whole, pool, may_deflate);
	feed(&whole, data + 1, len);
	whole.is_clean = ws_is_clean(whole.ws);
	ws_return(pool, &whole.ws);
	for (int way = 0; way < 8; way++) {
		begin(&split, pool, may_deflate);
		split.is_pausing = way % 2 == 1;
		split.short_max = way >= 4 && !(data[0] & 1) ? most : 0;
		run(&split, pool, &dice, data + 1, len,
		    way % 4 == 0   ? 1
		    : way % 4 == 3 ? len + 1
				   : len / 8 + 2);
		check_same(&whole, &split);
		forget(&split);
	}
	forget(&whole);
	ws_pool_free(&pool);
	return 0;
}
