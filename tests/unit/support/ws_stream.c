/* SPDX-License-Identifier: MIT */
/* ws_stream.c - see ws_stream.h. */

#include "tests/unit/support/ws_stream.h"

#include "common/ws_whole.h"
#include "common/xmalloc.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_MAX    300000
#define TWO_CUTS_MAX  10000 /* longer streams are not cut everywhere */
#define RANDOM_ROUNDS 30
#define SEED          20240229u

static void __attribute__((format(printf, 2, 3)))
tell(struct owner *o, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	o->told_len += (size_t)vsnprintf(
	    o->told + o->told_len, sizeof(o->told) - o->told_len, format, args);
	va_end(args);
	assert_in_range(o->told_len, 0, sizeof(o->told) - 1);
}

unsigned
stream_digest(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	unsigned sum = 1;

	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

static void
message_cb(void *owner, enum ws_opcode opcode, const char *data, size_t len)
{
	struct owner *o = owner;
	const char *kind = opcode == WS_TEXT ? "text" : "binary";

	if (len <= 125)
		tell(o, "%s %.*s\n", kind, (int)len, data);
	else
		tell(o, "%s of %zu: %u\n", kind, len, stream_digest(data, len));
	if (o->is_pausing && o->ws != NULL)
		ws_pause(o->ws);
}

static void
inflated_cb(void *owner, size_t from, size_t to)
{
	tell(owner, "inflated %zu to %zu\n", from, to);
}

static void
control_cb(void *owner, enum ws_opcode opcode)
{
	tell(owner, "%s\n", opcode == WS_PING ? "ping" : "pong");
}

static void
closing_cb(void *owner, bool by_peer, unsigned code, const char *reason,
    size_t reason_len)
{
	tell(owner, "%s %u %.*s\n", by_peer ? "closed" : "fault", code,
	    (int)reason_len, reason);
}

const struct ws_events owner_events = {
	.message = message_cb,
	.inflated = inflated_cb,
	.control = control_cb,
	.closing = closing_cb,
};

static void
owner_drain(struct owner *o)
{
	size_t n;

	while ((n = ws_output(o->ws, o->out + o->out_len, WS_OUTPUT_MAX)) > 0) {
		o->out_len += n;
		assert_in_range(o->out_len, 0, sizeof(o->out) - WS_OUTPUT_MAX);
	}
}

/* The short way, where there is one.  Returns how many bytes it took. */
static size_t
owner_take_whole(struct owner *o, uint8_t *data, size_t len)
{
	struct ws_whole whole;
	size_t used;

	if (!o->is_server || o->ws != NULL)
		return 0;
	used = ws_take_whole(data, len, MESSAGE_MAX, &whole);
	assert_in_range(used, 0, len);
	if (used > 0)
		message_cb(o, WS_TEXT, whole.text, whole.len);
	return used;
}

static size_t
owner_parse(struct owner *o, const uint8_t *data, size_t len)
{
	uint64_t rest;
	size_t taken;

	if (o->ws == NULL)
		o->ws = ws_borrow(o->pool, o);
	assert_non_null(o->ws);
	if (o->may_deflate)
		ws_allow_deflate(o->ws);
	rest = ws_frame_rest(o->ws);
	len = rest > 0 && rest < len ? (size_t)rest : len;
	o->status = ws_feed(o->ws, data, len, &taken);
	assert_in_range(taken, 0, len);
	owner_drain(o);
	if (ws_is_clean(o->ws) || o->status != WS_OK)
		ws_return(o->pool, &o->ws);
	return taken;
}

void
owner_feed(struct owner *o, const uint8_t *bytes, size_t len)
{
	uint8_t *data = xmalloc(len + 1);
	size_t at = 0, taken;

	memcpy(data, bytes, len);
	while (at < len && o->status == WS_OK) {
		taken = owner_take_whole(o, data + at, len - at);
		if (taken == 0)
			taken = owner_parse(o, data + at, len - at);
		at += taken;
		o->fed += taken;
	}
	free(data);
}

void
owner_end(struct owner *o)
{
	if (o->ws != NULL)
		ws_return(o->pool, &o->ws);
	ws_pool_free(&o->pool);
}

void
owner_begin(struct owner *o, enum ws_role role)
{
	memset(o, 0, sizeof(*o));
	o->is_server = role == WS_SERVER;
	o->pool = ws_pool_new(role, MESSAGE_MAX, 4, &owner_events);
}

/* Who is sent the stream. */
static void
owner_begin_for(struct owner *o, const struct stream *s)
{
	owner_begin(o, s->is_masked ? WS_SERVER : WS_CLIENT);
	o->may_deflate = s->may_deflate;
}

/* Compare what was told and put out with what should have been; how says in
 * what pieces it was fed. */
static void
owner_check(struct owner *o, const char *how, const char *told,
    const uint8_t *out, size_t len)
{
	if (strcmp(o->told, told) != 0)
		print_error("fed %s:\n", how);
	assert_string_equal(o->told, told);
	if (out != NULL) {
		assert_int_equal(o->out_len, len);
		assert_memory_equal(o->out, out, len);
	}
}

/* Feed the stream in pieces of 1 to max bytes, rand_r(3) willing. */
static void
run_pieces(const struct stream *s, size_t max, unsigned seed, const char *told,
    const uint8_t *out, size_t out_len)
{
	struct owner o;
	char how[80];
	size_t n;

	snprintf(how, sizeof(how), "in pieces of up to %zu bytes, seed %u", max,
	    seed);
	owner_begin_for(&o, s);
	for (size_t at = 0; at < s->len; at += n) {
		n = 1 + (size_t)rand_r(&seed) % max;
		n = n < s->len - at ? n : s->len - at;
		owner_feed(&o, s->data + at, n);
	}
	owner_check(&o, how, told, out, out_len);
	owner_end(&o);
}

static void
run_two_cuts(const struct stream *s, const char *told, const uint8_t *out,
    size_t out_len)
{
	struct owner o;
	char how[80];

	for (size_t cut = 0; cut <= s->len && s->len <= TWO_CUTS_MAX; cut++) {
		owner_begin_for(&o, s);
		owner_feed(&o, s->data, cut);
		owner_feed(&o, s->data + cut, s->len - cut);
		snprintf(how, sizeof(how), "in two, cut after byte %zu", cut);
		owner_check(&o, how, told, out, out_len);
		owner_end(&o);
	}
}

void
expect_out(struct stream *s, const char *told, const void *out, size_t out_len)
{
	unsigned seed = SEED;

	run_two_cuts(s, told, out, out_len);
	run_pieces(s, 1, 0, told, out, out_len);
	run_pieces(s, s->len, 0, told, out, out_len);
	for (int i = 0; i < RANDOM_ROUNDS; i++, seed++) {
		size_t max = i % 2 == 0 ? 16 : 9000;

		run_pieces(s, max, seed, told, out, out_len);
	}
	s->len = 0;
}

void
expect(struct stream *s, const char *told)
{
	expect_out(s, told, NULL, 0);
}

void
expect_end_at(const struct stream *s, size_t n)
{
	struct owner o;

	owner_begin_for(&o, s);
	for (size_t i = 0; i < s->len && o.status == WS_OK; i++)
		owner_feed(&o, s->data + i, 1);
	assert_int_equal(o.status, WS_ENDED);
	assert_int_equal(o.fed, n);
	owner_end(&o);
}

void
put(struct stream *s, const void *data, size_t len)
{
	assert_in_range(s->len + len, 0, STREAM_MAX);
	memcpy(s->data + s->len, data, len);
	s->len += len;
}

void
put_header(struct stream *s, int first, int size, uint64_t len)
{
	uint8_t mask_bit = s->is_masked ? 0x80 : 0;
	uint8_t byte = (uint8_t)first;

	put(s, &byte, 1);
	byte = mask_bit | (uint8_t)(size == 0 ? len : size == 2 ? 126 : 127);
	put(s, &byte, 1);
	for (int i = size - 1; i >= 0; i--) {
		byte = (uint8_t)(len >> (8 * i));
		put(s, &byte, 1);
	}
	if (s->is_masked)
		put(s, "\x0f\xf1\x5a\x81", 4);
}

void
put_payload(struct stream *s, const void *data, size_t len)
{
	static const uint8_t mask[4] = { 0x0f, 0xf1, 0x5a, 0x81 };
	uint8_t *at = s->data + s->len;

	put(s, data, len);
	for (size_t i = 0; s->is_masked && i < len; i++)
		at[i] ^= mask[i % 4];
}

void
put_frame(struct stream *s, int first, const void *data, size_t len)
{
	put_header(s, first, len < 126 ? 0 : len < 65536 ? 2 : 8, len);
	put_payload(s, data, len);
}

int
stream_setup(void **state)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->data = xmalloc(STREAM_MAX);
	s->is_masked = true;
	*state = s;
	return 0;
}

int
stream_teardown(void **state)
{
	struct stream *s = *state;

	free(s->data);
	free(s);
	return 0;
}
