/* SPDX-License-Identifier: MIT */
/* place.c - see place.h. */

#include "worker/delivery/place.h"

#include <string.h>

static const struct layout_cluster *place_log;

void
place_use(const struct segment *seg)
{
	place_log = &seg->header->cluster;
}

bool
place_is_used(void)
{
	return place_log != NULL;
}

/* The name of the log's life.  It is there before the first record is. */
static const char *
place_stream(size_t *len)
{
	*len = strnlen(place_log->stream, LAYOUT_STREAM - 1);
	return place_log->stream;
}

size_t
place_text(char out[PLACE_TEXT_MAX], uint64_t place)
{
	size_t len;
	const char *stream = place_stream(&len);

	memcpy(out, stream, len);
	out[len++] = '.';
	return len + buf_digits(out + len, place);
}

size_t
place_member(char out[PLACE_MEMBER_MAX], uint64_t place)
{
	static const char name[] = ",\"pos\":\"";
	size_t len = sizeof(name) - 1;

	memcpy(out, name, len);
	len += place_text(out + len, place);
	out[len++] = '"';
	return len;
}

void
place_put(struct buf *buf, uint64_t place)
{
	char text[PLACE_MEMBER_MAX];

	buf_add(buf, text, place_member(text, place));
}

uint64_t
place_parse(const char *text, size_t len)
{
	uint64_t place = 0;
	const char *stream;
	size_t at;

	if (!place_is_used())
		return 0;
	stream = place_stream(&at);
	if (at == 0 || len <= at + 1 || len > at + 1 + 16 ||
	    memcmp(text, stream, at) != 0 || text[at] != '.')
		return 0;
	for (at++; at < len; at++) {
		if (text[at] < '0' || text[at] > '9')
			return 0;
		place = place * 10 + (uint64_t)(text[at] - '0');
	}
	return place < UINT64_C(1) << 53 ? place : 0;
}
