/* SPDX-License-Identifier: MIT */
/* busiest_json.c - see busiest_json.h. */

#include "broker/status/busiest_json.h"

#include "broker/status/busiest.h"
#include "common/clock.h"
#include "common/xmalloc.h"

#include <inttypes.h>
#include <stdlib.h>

#define BUSIEST_TOPICS 20u /* that are told */

struct busiest {
	struct look looks[2];
	int now; /* the last of them */
};

struct busiest *
busiest_new(void)
{
	struct busiest *busiest = xcalloc(1, sizeof(*busiest));

	look_init(&busiest->looks[0]);
	look_init(&busiest->looks[1]);
	return busiest;
}

void
busiest_free(struct busiest *busiest)
{
	if (busiest == NULL)
		return;
	look_fini(&busiest->looks[0]);
	look_fini(&busiest->looks[1]);
	free(busiest);
}

static void
busiest_put_topic(struct buf *buf, const struct busy_topic *topic)
{
	buf_puts(buf, "{\"topic\":");
	buf_json_string(buf, topic->name, topic->name_len);
	buf_printf(buf,
	    ",\"rate\":%.3f,\"seq\":%" PRIu64 ",\"subscribers\":%" PRIu64 "}",
	    topic->rate, topic->seq, topic->subscribers);
}

void
busiest_json(
    struct buf *buf, struct busiest *busiest, const struct segment *seg)
{
	struct busy_topic topics[BUSIEST_TOPICS];
	const struct look *now = &busiest->looks[busiest->now], *before;
	size_t count;

	if (clock_monotonic_ns() - now->at_ns >=
	    BUSIEST_LEAST_MS * UINT64_C(1000000)) {
		busiest->now = !busiest->now;
		look_take(&busiest->looks[busiest->now], seg);
	}
	now = &busiest->looks[busiest->now];
	before = &busiest->looks[!busiest->now];
	count = busiest_find(seg, now, before, topics, BUSIEST_TOPICS);
	buf_printf(buf, "{\"seconds\":%.3f,\"topics\":[",
	    look_follows(now, before)
		? (double)(now->at_ns - before->at_ns) / 1e9
		: 0.0);
	for (size_t i = 0; i < count; i++) {
		buf_puts(buf, i > 0 ? "," : "");
		busiest_put_topic(buf, &topics[i]);
	}
	buf_puts(buf, "]}\n");
}
