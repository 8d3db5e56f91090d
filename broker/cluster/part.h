/* SPDX-License-Identifier: MIT */
/*
 * part.h - what hosts have to tell of a topic's members, or of topics, and parts of
 * several hosts put together.
 *
 *	part of this host --+
 *	part of another   --+--> part of all of them
 *	part of another   --+
 *
 * Entries are in one order on all hosts: by key, then by name.  A part that is cut
 * says nothing of what is behind its last entry; so what is put together ends
 * where the shortest part that was cut does, and whoever wants more asks for what
 * is behind that.
 *
 *	| hosts u32 | silent u32 | count u32 | flags u32 |
 *	| subscribers u64 | members u64 |
 *	+------------------------------------------------+
 *	| key u64 | number u64 | seq u64 | info_len u16 |
 *	| name_len u8 | flags u8 | name | info |  ...
 *	+------------------------------------------------+
 *
 * Numbers are little-endian.
 */

#ifndef BROKER_CLUSTER_PART_H
#define BROKER_CLUSTER_PART_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of entries beyond which a part gets no other one; and of a whole part,
 * with one entry more. */
#define PART_BYTES_MAX (120u * 1024)
#define PART_LEN_MAX   (PART_BYTES_MAX + 2048u)

/* A topic, or a member of one. */
struct part_entry {
	uint64_t key;    /* of a member (member_key()); 0 of topics */
	uint64_t number; /* connections, or subscribers: these add up */
	uint64_t seq;    /* a topic's last number on this host; 0 elsewhere */
	bool is_verified;
	uint8_t name_len;
	uint16_t info_len;
	const char *name, *info; /* borrowed */
};

struct part {
	uint32_t hosts;  /* whose part it is, those that are silent included */
	uint32_t silent; /* of these, who have told nothing */
	uint32_t count;  /* entries */
	bool is_known;   /* some host knows the topic */
	bool is_unsure;  /* some host does not know all its members */
	bool has_more;   /* there are others behind the last entry */
	uint64_t subscribers, members;
	struct buf entries;
};

/* An empty one, of one host, which tells.  Owns: the caller. */
void part_init(struct part *part);
void part_fini(struct part *part);

/* Whether another entry of this key may be added; otherwise the part has_more.
 * last_key: of the last one. */
bool part_has_room(const struct part *part, uint64_t key, uint64_t last_key);

/* Append an entry, which comes behind all others. */
void part_add(struct part *part, const struct part_entry *entry);

/* Read on from *at (0 to begin with).  Returns false at the end. */
bool part_next(const struct part *part, size_t *at, struct part_entry *entry);

/* Put another part into one: at most `limit' entries, or those of one key. */
void part_merge(struct part *into, const struct part *other, uint32_t limit);

/* Append a part as bytes, at most PART_LEN_MAX. */
void part_write(struct buf *out, const struct part *part);

/*
 * Read a part, which was initialised, from bytes that may be anything: names are
 * UTF-8 and infos are JSON, and entries are in order.
 * Returns false, with *part as it was, if they are none.
 */
bool part_read(const void *data, size_t len, struct part *part);

#endif
