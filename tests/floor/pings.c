/* SPDX-License-Identifier: MIT */
/* pings.c - see pings.h. */

#include "tests/floor/pings.h"

#include "common/clock.h"
#include "common/ws.h"
#include "tests/floor/floor.h"

static uint64_t next_ms;
static size_t ticks; /* of an interval; 0: no pings */
static size_t tick;

void
pings_init(unsigned seconds)
{
	ticks = (size_t)seconds * 1000 / PINGS_TICK_MS;
	next_ms = clock_monotonic_ms() + PINGS_TICK_MS;
}

static void
pings_tick(void)
{
	uint8_t frame[WS_HEADER_MAX];
	size_t len = ws_frame_header(frame, WS_PING, 0);

	for (size_t fd = tick; fd < floor_state.members_end; fd += ticks)
		if (floor_state.members[fd].is_open)
			floor_send((int)fd, frame, len);
	tick = (tick + 1) % ticks;
}

int
pings_turn(void)
{
	uint64_t now;

	if (ticks == 0)
		return -1;
	now = clock_monotonic_ms();
	for (; next_ms <= now; next_ms += PINGS_TICK_MS)
		pings_tick();
	return (int)(next_ms - now);
}
