/* SPDX-License-Identifier: MIT */
/*
 * event_form.h - messages and gaps as server-sent events (events.h shows them).
 *
 * In HTTP/1.1 a stream is sent in chunks, an event to each, so that any proxy
 * can pass every event on as it comes.
 */

#ifndef WORKER_API_EVENT_FORM_H
#define WORKER_API_EVENT_FORM_H

struct form;

extern const struct form event_form;       /* FORM_EVENT */
extern const struct form event_chunk_form; /* FORM_CHUNK */

#endif
