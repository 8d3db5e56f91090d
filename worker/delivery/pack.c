/* SPDX-License-Identifier: MIT */
/* pack.c - see pack.h. */

#include "worker/delivery/pack.h"

#include "common/config.h"
#include "common/deflate.h"
#include "common/ws_frame.h"
#include "common/xmalloc.h"
#include "worker/net/net.h"

#include <stdlib.h>

struct packer {
	struct deflater *deflater; /* NULL: out of memory */
	struct buf room;           /* for a message while it is compressed */
};

/* It is made when it is first needed.  Returns false when out of memory. */
static bool
pack_open(struct packer **packer)
{
	if (*packer == NULL)
		*packer = xcalloc(1, sizeof(**packer));
	if ((*packer)->deflater == NULL)
		(*packer)->deflater = deflater_new();
	return (*packer)->deflater != NULL;
}

void
pack_fini(struct packer **packer)
{
	if (*packer == NULL)
		return;
	deflater_free(&(*packer)->deflater);
	buf_fini(&(*packer)->room);
	free(*packer);
	*packer = NULL;
}

/* Compress a payload.  Returns the bytes it has then; NULL: it stays as it is. */
static const char *
pack_payload(struct packer *packer, struct stats *stats, const char *payload,
    size_t len, size_t *packed)
{
	char *room;

	buf_reset(&packer->room);
	room = buf_room(&packer->room, len + DEFLATE_TAIL);
	*packed = deflate_message(packer->deflater, payload, len, room);
	if (*packed == 0) {
		stats_add(stats, STATS_DEFLATED_IN_VAIN, 1);
		return NULL;
	}
	stats_add(stats, STATS_DEFLATED, 1);
	stats_add(stats, STATS_DEFLATED_FROM, len);
	stats_add(stats, STATS_DEFLATED_TO, *packed);
	return room;
}

void
pack_frame(struct net *net, struct packer **packer)
{
	struct arena *arena = &net->arena;
	size_t start = arena_start(arena, arena->count);
	uint8_t *frame = (uint8_t *)arena->bytes.at + start;
	size_t header = ws_frame_header_len(frame);
	size_t len = arena->bytes.len - start - header;
	const char *packed;

	if (len < net->config->compress || !pack_open(packer))
		return;
	packed = pack_payload(
	    *packer, &net->stats, (const char *)frame + header, len, &len);
	if (packed == NULL)
		return;
	header = ws_frame_header(frame, WS_TEXT, len);
	frame[0] |= WS_RSV1;
	memcpy(frame + header, packed, len);
	arena->bytes.len = start + header + len;
}
