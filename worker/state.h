/* SPDX-License-Identifier: MIT */
/*
 * state.h - all that one worker holds, and the life of its event loop turn.
 *
 *	  sockets readable         doorbell, timers
 *	        |                        |
 *	        v                        v
 *	acceptor, conn  ----->  intake: what clients asked for in this turn
 *	        ^                        |  one lock: subscribe, publish, wake
 *	        |                        v
 *	  outbox: one write  <---  tail: ring -> frames -> who gets them
 *	  per connection
 *
 * Callbacks of the loop only collect; turn_end() (worker.c) does the rest, in
 * this order, right before the loop waits again.  All of it is one thread, so
 * nothing here is locked.
 */

#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include "broker/ring/ring.h"
#include "broker/shared/stats.h"
#include "broker/shared/wakeup.h"
#include "common/config.h"
#include "common/json.h"
#include "worker/net/acceptor.h"
#include "worker/api/list.h"
#include "worker/net/conns.h"
#include "worker/delivery/latency.h"
#include "worker/drain.h"
#include "worker/net/arena.h"
#include "worker/requests/intake.h"
#include "worker/net/flush.h"
#include "worker/delivery/replay.h"
#include "worker/net/service.h"
#include "worker/http/static.h"
#include "worker/delivery/subs.h"
#include "worker/delivery/tail.h"
#include "worker/protocol/v1_request.h"
#include "worker/net/wheel.h"
#include "worker/worker.h"

#include <ev.h>

/* Bytes read from a socket at once; what one connection may do in a turn. */
#define WORKER_READ_MAX 65536u

struct worker {
	const struct worker_args *args; /* borrowed, like the next four */
	const struct service *service;
	const struct config *config;
	struct segment *seg;
	struct wakeup *wakeup;
	unsigned slot;

	struct ev_loop *loop;
	ev_prepare before_wait;
	ev_check after_wait;
	ev_io doorbell;
	ev_io supervisor;
	ev_timer beat;
	ev_timer tick; /* turns the wheel */

	struct ring ring;
	struct stats stats;
	struct acceptors acceptors;
	struct conns conns;
	struct wheel wheel;
	struct intake intake;
	struct subs subs;
	struct tail tail;
	struct latency delays;
	struct frames frames;
	struct outbox outbox;
	struct replays replays;
	struct api_lists lists;
	struct drain drain;

	struct static_files files;
	struct ws_pool *parsers;
	struct json_reader json;
	struct v1_reader v1;
	struct buf text;         /* an answer while it is put together */
	unsigned char *read_buf; /* [WORKER_READ_MAX]: what a socket brought */
	unsigned char *file_buf; /* [WORKER_READ_MAX]: a piece of a file */
	bool more;               /* there is work left for another turn */
};

#endif
