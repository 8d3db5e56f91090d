/* SPDX-License-Identifier: MIT */
/* arena.c - see arena.h. */

#include "worker/net/arena.h"

#include "broker/ring/ring.h"
#include "common/json.h"
#include "common/ws.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
frames_init(struct frames *frames)
{
	memset(frames, 0, sizeof(*frames));
	buf_init(&frames->bytes);
}

void
frames_fini(struct frames *frames)
{
	buf_fini(&frames->bytes);
	free(frames->table);
	frames_init(frames);
}

void
frames_reset(struct frames *frames)
{
	buf_reset(&frames->bytes);
	frames->count = 0;
}

/* What was appended since the last call is a frame. */
static void
frames_end(struct frames *frames, uint32_t topic, uint64_t seq)
{
	if (frames->count == frames->max) {
		frames->max = frames->max == 0 ? 64 : frames->max * 2;
		frames->table = xreallocarray(
		    frames->table, frames->max, sizeof(*frames->table));
	}
	frames->table[frames->count++] = (struct frames_entry){
		.end = frames->bytes.len,
		.topic = topic,
		.seq = seq,
	};
}

size_t
frames_open(struct buf *buf)
{
	size_t start = buf->len;

	buf_room(buf, WS_HEADER_MAX);
	buf->len += WS_HEADER_MAX;
	return start;
}

size_t
frames_close(struct buf *buf, size_t start)
{
	size_t len = buf->len - start - WS_HEADER_MAX;
	char *at = buf->at + start;
	uint8_t header[WS_HEADER_MAX];
	size_t header_len = ws_frame_header(header, WS_TEXT, len);

	memcpy(at, header, header_len);
	memmove(at + header_len, at + WS_HEADER_MAX, len);
	buf->len = start + header_len + len;
	return WS_HEADER_MAX - header_len;
}

/* The string that the JSON text stands for, or the text itself. */
static void
frames_put_text(struct buf *buf, const struct ring_record *rec)
{
	char *room = buf_room(buf, rec->body_len);

	if (json_kind_of(rec->body, rec->body_len) == JSON_STRING)
		buf->len += json_string_decode(rec->body, rec->body_len, room);
	else
		buf_add(buf, rec->body, rec->body_len);
}

static void
frames_put_raw(struct buf *buf, const struct ring_record *rec)
{
	size_t start = frames_open(buf);

	frames_put_text(buf, rec);
	frames_close(buf, start);
}

static void
frames_put_envelope(struct buf *buf, const struct ring_record *rec,
    const struct buf *topic_json)
{
	size_t start = frames_open(buf);

	buf_puts(buf, "{\"type\":\"message\",\"topic\":");
	buf_add(buf, topic_json->at, topic_json->len);
	buf_puts(buf, ",\"seq\":");
	buf_number(buf, rec->seq);
	buf_puts(buf, ",\"time\":");
	buf_number(buf, rec->time_ms);
	buf_puts(buf, ",\"message\":");
	buf_add(buf, rec->body, rec->body_len);
	buf_puts(buf, "}");
	frames_close(buf, start);
}

/* One "data:" line for each line of the text at `from', CR LF, CR or LF ended
 * (the three that the event stream format knows). */
static void
frames_put_lines(struct buf *buf, const char *from, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && from[i] != '\n' && from[i] != '\r')
			continue;
		buf_puts(buf, "data: ");
		buf_add(buf, from + start, i - start);
		buf_puts(buf, "\n");
		if (i + 1 < len && from[i] == '\r' && from[i + 1] == '\n')
			i++;
		start = i + 1;
	}
}

static void
frames_put_event(
    struct buf *buf, const struct ring_record *rec, const char *epoch)
{
	struct buf text;

	buf_printf(buf, "id: %s:", epoch);
	buf_number(buf, rec->seq);
	buf_puts(buf, "\n");
	buf_init(&text);
	frames_put_text(&text, rec);
	frames_put_lines(buf, text.len > 0 ? text.at : "", text.len);
	buf_fini(&text);
	buf_puts(buf, "\n");
}

void
frames_add(struct frames *frames, enum frames_form form,
    const struct ring_record *rec, const struct buf *topic_json,
    const char *epoch)
{
	switch (form) {
	case FRAMES_RAW:
		frames_put_raw(&frames->bytes, rec);
		break;
	case FRAMES_ENVELOPE:
		frames_put_envelope(&frames->bytes, rec, topic_json);
		break;
	case FRAMES_EVENT:
		frames_put_event(&frames->bytes, rec, epoch);
		break;
	case FRAMES_FORMS:
		break;
	}
	frames_end(frames, rec->topic, rec->seq);
}

void
frames_add_bytes(struct frames *frames, const void *data, size_t len,
    uint32_t topic, uint64_t seq)
{
	buf_add(&frames->bytes, data, len);
	frames_end(frames, topic, seq);
}
