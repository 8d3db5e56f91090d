/* SPDX-License-Identifier: MIT */
/*
 * ws_stream.h - streams of frames, and an owner who reads them; for tests.
 *
 * A stream is what a peer sends, written frame by frame.  What is told of it
 * must not depend on how it is split: expect() feeds it byte by byte, in every
 * way to cut it in two, and in random pieces, and compares the events, written
 * down as text, and the output.  The owner borrows a parser and gives it back
 * at every clean boundary, as the worker does, so each run tests the pool too.
 *
 * Events as text, a line each: "text hello", "binary ...", "text of 5000: N"
 * (over 125 bytes; N is stream_digest()), "inflated N to N" (before such a
 * message), "ping", "pong", "closed CODE REASON" (by the peer), "fault CODE
 * REASON".
 */

#ifndef UNIT_WS_STREAM_H
#define UNIT_WS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ws.h"

#define MESSAGE_MAX 70000u /* bytes of a message that an owner takes */
#define FIN         0x80   /* bit of a frame's first byte */

struct stream {
	uint8_t *data;
	size_t len;
	bool is_masked;   /* sent by a client, to a server; as it is at first */
	bool may_deflate; /* and they have agreed on permessage-deflate */
};

/* Who owns the connection, and what came of it so far. */
struct owner {
	struct ws_pool *pool;
	struct ws *ws; /* NULL at a clean boundary and after the end */
	char told[4096];
	size_t told_len;
	uint8_t out[4096];
	size_t out_len;
	size_t fed;
	bool is_server; /* takes what it can the short way, ws_whole.h */
	bool may_deflate;
	bool is_pausing; /* at every message */
	enum ws_status status;
};

extern const struct ws_events owner_events;

/* For cmocka_unit_test_setup_teardown(); *state is the struct stream. */
int stream_setup(void **state);
int stream_teardown(void **state);

/* Add bytes as they are. */
void put(struct stream *s, const void *data, size_t len);

/* Add a header, whose length need not be the payload's nor in its shortest
 * form: size, 0, 2 or 8, is the number of bytes of the extended length. */
void put_header(struct stream *s, int first, int size, uint64_t len);

/* Add a payload, masked if the stream is. */
void put_payload(struct stream *s, const void *data, size_t len);

/* Add a frame; first is FIN, reserved bits and opcode. */
void put_frame(struct stream *s, int first, const void *data, size_t len);

#define PUT(stream, first, literal) \
	put_frame(stream, first, "" literal, sizeof(literal) - 1)

/* A number that differs for other bytes, to keep long messages out of sight. */
unsigned stream_digest(const void *data, size_t len);

void owner_begin(struct owner *o, enum ws_role role);
void owner_end(struct owner *o);

/* Take bytes off the socket, as a worker does. */
void owner_feed(struct owner *o, const uint8_t *data, size_t len);

/* However the stream is split, this is told of it, and these bytes answered.
 * The stream is empty afterwards. */
void expect_out(
    struct stream *s, const char *told, const void *out, size_t out_len);

/* The same, whatever is answered. */
void expect(struct stream *s, const char *told);

/* The connection ends with the n-th byte of the stream, neither sooner nor
 * later. */
void expect_end_at(const struct stream *s, size_t n);

#endif
