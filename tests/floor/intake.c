/* SPDX-License-Identifier: MIT */
/* intake.c - see intake.h. */

#include "tests/floor/intake.h"

#include "common/bug.h"
#include "common/ws.h"
#include "common/ws_whole.h"
#include "common/xmalloc.h"
#include "tests/floor/floor.h"

#include <stdlib.h>
#include <string.h>

static struct room **touched; /* with something to send in this turn */
static size_t touched_count;

void
intake_init(void)
{
	touched = xcalloc(ROOMS_MAX, sizeof(*touched));
}

/* What stands behind a word of a message. */
static const char *
find(const char *text, size_t len, const char *word)
{
	const char *found = memmem(text, len, word, strlen(word));

	CHECK(found != NULL);
	return found + strlen(word);
}

/* One message, {"topic":"r000000-000000","message":"xxx"}. */
static void
take_in(const char *text, size_t len)
{
	unsigned long number =
	    strtoul(find(text, len, "\"topic\":\"r"), NULL, 10);
	const char *message = find(text, len, "\"message\":\"");
	size_t message_len = (size_t)(text + len - message) - strlen("\"}");
	uint8_t head[WS_HEADER_MAX];
	struct room *room;

	CHECK(number < ROOMS_MAX);
	room = &floor_state.rooms[number];
	if (room->out.len == 0)
		touched[touched_count++] = room;
	buf_add(&room->out, head, ws_frame_header(head, WS_TEXT, message_len));
	buf_add(&room->out, message, message_len);
}

/* Take in the whole frames.  Returns how many bytes they have. */
static size_t
take_in_frames(uint8_t *at, size_t len)
{
	size_t done = 0, head;
	uint64_t payload;

	while ((head = floor_header(at + done, len - done, &payload)) > 0 &&
	       payload <= len - done - head) {
		CHECK(payload > 0 && at[done] == (0x80 | WS_TEXT));
		ws_mask(at + done + head, payload, at + done + head - 4);
		take_in((char *)at + done + head, payload);
		done += head + payload;
	}
	return done;
}

void
intake_take(struct member *m, uint8_t *input, size_t len)
{
	size_t done;

	if (m->kept.len > 0) {
		buf_add(&m->kept, input, len);
		done = take_in_frames((uint8_t *)m->kept.at, m->kept.len);
		m->kept.len -= done;
		memmove(m->kept.at, m->kept.at + done, m->kept.len);
	} else {
		done = take_in_frames(input, len);
		buf_add(&m->kept, input + done, len - done);
	}
}

void
intake_send(void)
{
	for (size_t i = 0; i < touched_count; i++) {
		struct room *room = touched[i];

		for (size_t k = 0; k < room->count; k++)
			floor_send(room->fds[k], room->out.at, room->out.len);
		buf_reset(&room->out);
	}
	touched_count = 0;
}
