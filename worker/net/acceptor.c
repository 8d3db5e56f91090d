/* SPDX-License-Identifier: MIT */
/* acceptor.c - see acceptor.h. */

#include "worker/net/acceptor.h"

#include "broker/shared/worker_args.h"
#include "common/bug.h"
#include "common/container.h"
#include "common/log.h"
#include "worker/net/address_limits.h"
#include "worker/state.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
acceptors_pause(struct worker *w)
{
	struct acceptors *as = &w->acceptors;

	if (!as->paused) {
		log_warn(
		    "accepting pauses with %u connections", w->conns.count);
		stats_add(&w->stats, STATS_ACCEPT_PAUSES, 1);
	}
	as->paused = true;
	for (size_t i = 0; i < as->count; i++)
		ev_io_stop(w->loop, &as->list[i].io);
	ev_timer_stop(w->loop, &as->retry);
	ev_timer_set(&as->retry, ACCEPTOR_RETRY_S, 0);
	ev_timer_start(w->loop, &as->retry);
}

static void
acceptors_watch(struct worker *w)
{
	struct acceptors *as = &w->acceptors;

	if (as->closed)
		return;
	for (size_t i = 0; i < as->count; i++)
		ev_io_start(w->loop, &as->list[i].io);
}

/* Try again; whether it works shows at the next accept. */
static void
acceptors_retry_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct acceptors *as = container_of(timer, struct acceptors, retry);

	(void)loop;
	(void)revents;
	acceptors_watch(container_of(as, struct worker, acceptors));
}

void
acceptors_descriptors_freed(struct worker *w)
{
	if (w->acceptors.paused && !w->acceptors.closed) {
		ev_timer_stop(w->loop, &w->acceptors.retry);
		acceptors_watch(w);
	}
}

/* Whether accept4() failed for want of something that may come back. */
static bool
acceptor_is_exhausted(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
	       err == ENOMEM;
}

static void
acceptor_accept_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct acceptor *a = container_of(io, struct acceptor, io);
	struct sockaddr_storage peer;
	socklen_t len;
	int fd = -1, n;

	(void)loop;
	(void)revents;
	for (n = 0; n < ACCEPTOR_TURN_MAX; n++) {
		len = sizeof(peer);
		fd = accept4(io->fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1)
			break;
		if (a->admin)
			conns_open_admin(a->w, fd, a->loopback);
		else
			conns_open(a->w, fd, &peer, a->loopback);
	}
	if (fd != -1)
		return;
	/* Said before the queue is looked at: behind the last one that was
	 * there it means nothing, and is asked again if there are more. */
	if (acceptor_is_exhausted(errno) && n == 0) {
		acceptors_pause(a->w);
	} else if (errno == EAGAIN && a->w->acceptors.paused) {
		a->w->acceptors.paused = false;
		log_warnx("accepting goes on");
	}
}

static void
acceptors_add(struct worker *w, int fd, bool admin)
{
	struct acceptors *as = &w->acceptors;
	struct acceptor *a = &as->list[as->count++];
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);

	a->w = w;
	a->admin = admin;
	memset(&local, 0, sizeof(local));
	if (getsockname(fd, (struct sockaddr *)&local, &len) == 0)
		a->loopback = address_is_exempt(&local);
	ev_io_init(&a->io, acceptor_accept_cb, fd, EV_READ);
	ev_io_start(w->loop, &a->io);
}

void
acceptors_open(struct worker *w, const struct worker_args *args)
{
	struct acceptors *as = &w->acceptors;

	CHECK(args->listener_count <= CONFIG_LISTEN_MAX);
	memset(as, 0, sizeof(*as));
	ev_timer_init(&as->retry, acceptors_retry_cb, ACCEPTOR_RETRY_S, 0);
	for (size_t i = 0; i < args->listener_count; i++)
		acceptors_add(w, args->listeners[i], false);
	if (args->admin_listener != NULL)
		acceptors_add(w, *args->admin_listener, true);
}

void
acceptors_close(struct worker *w, bool close_fds)
{
	struct acceptors *as = &w->acceptors;

	for (size_t i = 0; i < as->count; i++) {
		ev_io_stop(w->loop, &as->list[i].io);
		if (close_fds)
			close(as->list[i].io.fd);
	}
	ev_timer_stop(w->loop, &as->retry);
	as->closed = true;
}
