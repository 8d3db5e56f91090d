/* SPDX-License-Identifier: MIT */
/* frames.c - see frames.h. */

#include "worker/frames.h"

#include "common/json.h"
#include "common/ws.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
frames_init(struct frames *frames)
{
	memset(frames, 0, sizeof(*frames));
}

void
frames_fini(struct frames *frames)
{
	free(frames->bytes);
	free(frames->ends);
	frames_init(frames);
}

void
frames_reset(struct frames *frames)
{
	frames->count = 0;
}

/* Room for one more frame of at most this many bytes.  Returns its place. */
static unsigned char *
frames_grow(struct frames *frames, size_t len)
{
	size_t used = frames_start(frames, frames->count);

	if (frames->size - used < len) {
		frames->size = (used + len) * 2;
		frames->bytes = xreallocarray(frames->bytes, frames->size, 1);
	}
	if (frames->count == frames->max) {
		frames->max = frames->max == 0 ? 64 : frames->max * 2;
		frames->ends = xreallocarray(
		    frames->ends, frames->max, sizeof(*frames->ends));
	}
	return frames->bytes + used;
}

void
frames_add_raw(struct frames *frames, const char *json, uint32_t len)
{
	unsigned char *at = frames_grow(frames, WS_HEADER_MAX + len);
	char *text = (char *)at + WS_HEADER_MAX;
	uint8_t header[WS_HEADER_MAX];
	size_t header_len, text_len = len;

	if (json_kind_of(json, len) == JSON_STRING)
		text_len = json_string_decode(json, len, text);
	else
		memcpy(text, json, len);
	header_len = ws_frame_header(header, WS_TEXT, text_len);
	memcpy(at, header, header_len);
	memmove(at + header_len, text, text_len);
	frames->ends[frames->count] =
	    frames_start(frames, frames->count) + header_len + text_len;
	frames->count++;
}
