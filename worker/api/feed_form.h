/* SPDX-License-Identifier: MIT */
/*
 * feed_form.h - messages and gaps of a stream of several topics (feed.h shows
 * them).  None of them has an id.
 */

#ifndef WORKER_API_FEED_FORM_H
#define WORKER_API_FEED_FORM_H

struct form;

extern const struct form feed_form;       /* FORM_FEED */
extern const struct form feed_chunk_form; /* FORM_FEED_CHUNK */

#endif
