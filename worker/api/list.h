/* SPDX-License-Identifier: MIT */
/*
 * list.h - GET /topics: names in order, so many at a time.
 *
 * A list looks through a slice of the directory at a time (topic_page.h) and takes
 * the ring's lock for each slice.  One list is made at a time; other requests for
 * lists wait, and the rest of the worker goes on between the slices.
 *
 * In a cluster the other hosts are asked first (inquiry.h), all lists at once; a
 * topic's subscribers on all hosts add up.
 */

#ifndef WORKER_API_LIST_H
#define WORKER_API_LIST_H

#include "broker/ring/topic_page.h"

#include <ev.h>
#include <sys/queue.h>

struct api_list;
struct api_query;
struct conn;
struct hub;

/* Names in one answer. */
#define API_LIST_MAX     TOPIC_PAGE_MAX
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
