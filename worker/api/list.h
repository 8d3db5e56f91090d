/* SPDX-License-Identifier: MIT */
/*
 * list.h - GET /topics: names in order, so many at a time.
 *
 * The directory is not in order, and its names may only be read under the
 * ring's lock, which must not be held for the whole directory.  So a list looks
 * through a slice at a time and takes the lock for each slice.  It keeps the
 * smallest names that fit the request in a heap, with the greatest on top,
 * which a smaller one replaces.  One list is made at a time; other requests for
 * lists wait, and the rest of the worker goes on between the slices.
 *
 * A list is no snapshot: a topic that exists from beginning to end is in it
 * once, a topic that comes or goes meanwhile may be missing.
 */

#ifndef WORKER_API_LIST_H
#define WORKER_API_LIST_H

#include <ev.h>
#include <sys/queue.h>

struct api_list;
struct api_query;
struct conn;
struct hub;

/* Slots looked at under one holding of the lock: well below a millisecond. */
#define API_LIST_SLICE 2048u

/* Names in one answer. */
#define API_LIST_MAX     1000u
#define API_LIST_DEFAULT 100u

struct api_lists {
	TAILQ_HEAD(api_list_line, api_list) line; /* the first is being made */
	ev_timer retry;                           /* the lock was not had */
};

void api_lists_init(struct api_lists *lists);
void api_lists_fini(struct api_lists *lists, struct ev_loop *loop);

/* Begin to answer a request for a list; its connection is paused. */
void api_list_begin(struct conn *c, const struct api_query *query);

/* Go on with a slice, if anybody waits.  Callers: turn_end(). */
void api_lists_turn(struct hub *hub);

#endif
