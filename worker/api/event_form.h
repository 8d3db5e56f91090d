/* SPDX-License-Identifier: MIT */
/*
 * event_form.h - messages and gaps as server-sent events (events.h shows them).
 *
 * In HTTP/1.1 a stream is sent in chunks, an event to each, so that any proxy
 * can pass every event on as it comes.
 */

#ifndef WORKER_API_EVENT_FORM_H
#define WORKER_API_EVENT_FORM_H

#include <stddef.h>

struct buf;
struct form;

/* Append one "data:" line for each line of a text, CR LF, CR or LF ended (the
 * three that the format knows, HTML 9.2.6). */
void event_put_lines(struct buf *out, const char *text, size_t len);

extern const struct form event_form;       /* FORM_EVENT */
extern const struct form event_chunk_form; /* FORM_CHUNK */

#endif
