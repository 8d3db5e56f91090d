/* SPDX-License-Identifier: MIT */
/* conn_record_tags.h - tags of a record's fields, and what stands in front of the
 * bytes in some; for the files of conn_record.h alone. */

#ifndef WORKER_HANDOVER_CONN_RECORD_TAGS_H
#define WORKER_HANDOVER_CONN_RECORD_TAGS_H

#include <stdint.h>

enum conn_record_tag {
	TAG_HEAD = 1,
	TAG_PROTOCOL,
	TAG_INPUT,
	TAG_SUB,
	TAG_ITEM,
	TAG_BEGUN,
	TAG_PROXIED,
	TAG_IDENTITY,
	TAG_PATTERN,
};

/* In front of a subscription's name. */
struct sub_head {
	uint64_t told;
	uint32_t flags;
	uint32_t ahead;
	uint32_t every_ms, wait_ms;
};

/* In front of a pattern's text. */
struct pattern_head {
	uint64_t from;
	uint32_t flags;
	uint32_t zero;
};

/* In front of an item's bytes. */
struct item_head {
	uint64_t seq;
	uint32_t kind;
	uint32_t sub;
	uint32_t digits, line; /* struct outq_gap_places */
};

#endif
