/* SPDX-License-Identifier: MIT */
/*
 * worker_args.h - what the supervisor hands to a worker, and what a worker
 * reports back.
 *
 * Supervisor and worker are peers: neither includes the other.  This is the
 * contract between them.
 */

#ifndef BROKER_SHARED_WORKER_ARGS_H
#define BROKER_SHARED_WORKER_ARGS_H

#include "broker/shared/access_store.h"
#include "broker/shared/live.h"
#include "broker/shared/segment.h"
#include "broker/shared/tls_store.h"
#include "broker/shared/upgrade_page.h"
#include "broker/shared/wakeup.h"
#include "common/config.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* A socket that clients connect to. */
struct worker_listener {
	int fd;     /* non-blocking, listening */
	bool tls;   /* they speak TLS */
	bool proxy; /* a PROXY header comes first */
};

/* Everything that a worker inherits.  All borrowed, valid as long as the
 * process. */
struct worker_args {
	const struct config *config;
	struct segment *segment;
	struct wakeup *wakeup;
	const struct live *live;  /* options of a reload; NULL: none comes */
	uint32_t options_version; /* of config, in terms of live */
	unsigned slot;
	/* Its own sockets, one per listening address, and some that are left
	 * over of more workers. */
	const struct worker_listener *listeners;
	size_t listener_count; /* not to be closed but when the supervisor is
	                          dead */
	const int *admin_listener;   /* one such socket of the operator's, which
	                              all workers have; NULL: none */
	const struct tls_store *tls; /* for these; NULL: none does */
	const struct access_store *access; /* who may what; NULL: all may all */
	int root;                          /* the directory of --root, O_PATH */
	int supervisor_fd; /* read end of a pipe: EOF = supervisor died */
	int state_fd;      /* eventfd of the supervisor: worker_set_state() */
	int lock_fd;       /* of the file with a lock for each worker:
	                      worker_lives() */
	/* Where a successor in this slot asks for our connections, a socket
	 * (worker/hand_over.h); NULL: nobody can. */
	const int *successor;
	/* The other end of that of the worker whose successor we are
	 * (worker/take_over.h); NULL: we begin with nothing. */
	const int *predecessor;
	/* If that one serves another segment than ours: where it is decided for
	 * all workers who goes on (upgrade_page.h), and its descriptor; else
	 * NULL. */
	struct upgrade_page *move;
	int move_fd;
};

/*
 * Be worker args->slot until told to leave, or until a successor has its
 * connections.  Called in the child after the
 * fork, with SIGTERM, SIGINT, SIGHUP, SIGUSR2 and SIGPIPE ignored, no signal
 * blocked, other descriptors closed, and the log opened.
 *
 * Returns: the exit status of the process: 0 drained or quit as ordered, 1 it
 * could not start (logged).  Dies by abort() on a bug.
 */
typedef int worker_main_fn(const struct worker_args *args);

/* Say that this worker is now READY or STOPPED: into the table, then wake the
 * supervisor, so that it need not look all the time.  Callers: the worker. */
static inline void
worker_set_state(const struct worker_args *args, enum worker_state state)
{
	uint64_t one = 1;
	ssize_t sent;

	atomic_store_explicit(&args->segment->workers[args->slot].state,
	    (uint32_t)state, memory_order_release);
	/* The write fails only if the counter is full, and then the supervisor
	 * is awake already. */
	sent = write(args->state_fd, &one, sizeof(one));
	(void)sent;
}

/* Byte of the lock file that worker 0 has locked as long as it lives; those of
 * the others follow. */
#define WORKER_LIVES_AT 2

/*
 * Whether the worker of a slot lives.  Other workers ask this when there is no
 * supervisor any more that reaps and says so.  The worker's lock tells, and not
 * its pid, which may be another process's or a zombie's.  When in doubt, yes.
 * Callers: another worker.  Never blocks.
 */
static inline bool
worker_lives(const struct worker_args *args, unsigned slot)
{
	struct flock lock = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = WORKER_LIVES_AT + (off_t)slot,
		.l_len = 1 };

	return fcntl(args->lock_fd, F_GETLK, &lock) == -1 ||
	       lock.l_type != F_UNLCK;
}

#endif
