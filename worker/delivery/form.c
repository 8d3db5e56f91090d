/* SPDX-License-Identifier: MIT */
/* form.c - see form.h. */

#include "worker/delivery/form.h"

#include "common/buf.h"
#include "common/http_chunked.h"

/* Close what was appended since the length was start.  Returns by how many bytes
 * that has moved up. */
static uint32_t
form_close(const struct form *form, struct buf *out, size_t start)
{
	return form->in_chunks ? (uint32_t)http_chunk_close(out, start) : 0;
}

/* The same of a gap, with the places in it. */
static struct outq_gap_places
form_close_gap(const struct form *form, struct buf *out, size_t start,
    struct outq_gap_places at)
{
	uint32_t moved = form_close(form, out, start);

	at.digits += moved;
	if (at.line != 0)
		at.line += moved;
	return at;
}

void
form_put_message(const struct form *form, struct buf *out,
    const struct ring_record *rec, const struct sub_topic *topic,
    const char *epoch)
{
	size_t start = out->len;

	form->message(out, rec, topic, epoch);
	form_close(form, out, start);
}

void
form_put_ephemeral(const struct form *form, struct buf *out,
    const struct ring_record *rec, const struct sub_topic *topic,
    const char *epoch)
{
	size_t start = out->len;

	form->ephemeral(out, rec, topic, epoch);
	form_close(form, out, start);
}

struct outq_gap_places
form_put_gap(const struct form *form, struct buf *out,
    const struct sub_topic *topic, uint64_t from, uint64_t to,
    enum gap_reason reason, const char *epoch)
{
	size_t start = out->len;

	return form_close_gap(
	    form, out, start, form->gap(out, topic, from, to, reason, epoch));
}

struct outq_gap_places
form_put_pattern_gap(const struct form *form, struct buf *out,
    const char *pattern, size_t len, uint64_t count, enum gap_reason reason,
    const char *epoch)
{
	size_t start = out->len;

	return form_close_gap(form, out, start,
	    form->pattern_gap(out, pattern, len, count, reason, epoch));
}
