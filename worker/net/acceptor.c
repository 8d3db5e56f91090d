/* SPDX-License-Identifier: MIT */
/* acceptor.c - see acceptor.h. */

#include "worker/net/acceptor.h"

#include "broker/shared/worker_args.h"
#include "common/bug.h"
#include "common/config.h"
#include "common/container.h"
#include "common/log.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keep a descriptor for the operator, if there is one to keep.  Of all that is
 * one, this can be opened within the sandbox. */
static void
acceptors_keep_spare(struct acceptors *as)
{
	if (as->has_admin && as->spare == -1)
		as->spare = eventfd(0, EFD_CLOEXEC);
}

/* Let go of it.  Returns false if there was none. */
static bool
acceptors_give_spare(struct acceptors *as)
{
	if (as->spare == -1)
		return false;
	close(as->spare);
	as->spare = -1;
	return true;
}

/* Listen to none of the clients' sockets for a while; nor to the operator's if
 * that is the one that nobody can be accepted from. */
static void
acceptors_pause(struct acceptors *as, const struct acceptor *exhausted)
{
	struct net *net = as->net;

	if (!as->paused) {
		log_warn(
		    "accepting pauses with %u connections", net->conns.count);
		stats_add(&net->stats, STATS_ACCEPT_PAUSES, 1);
	}
	as->paused = true;
	for (size_t i = 0; i < as->count; i++)
		if (!as->list[i].admin || &as->list[i] == exhausted)
			ev_io_stop(net->loop, &as->list[i].io);
	ev_timer_stop(net->loop, &as->retry);
	ev_timer_set(&as->retry, ACCEPTOR_RETRY_S, 0);
	ev_timer_start(net->loop, &as->retry);
}

static void
acceptors_watch(struct acceptors *as)
{
	if (as->closed || as->waiting)
		return;
	for (size_t i = 0; i < as->count; i++)
		if (!as->list[i].closed && !as->list[i].is_aside)
			ev_io_start(as->net->loop, &as->list[i].io);
}

/* Try again; if it does not work, the next accept says so. */
static void
acceptors_retry_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct acceptors *as = container_of(timer, struct acceptors, retry);

	(void)loop;
	(void)revents;
	acceptors_watch(as);
}

void
acceptors_wait(struct acceptors *as, bool wait)
{
	as->waiting = wait;
	if (!wait && !as->paused)
		acceptors_watch(as);
	for (size_t i = 0; wait && i < as->count; i++)
		ev_io_stop(as->net->loop, &as->list[i].io);
}

void
acceptors_descriptors_freed(struct acceptors *as)
{
	if (as->closed)
		return;
	/* The operator's first: clients take what there is. */
	acceptors_keep_spare(as);
	if (as->paused) {
		ev_timer_stop(as->net->loop, &as->retry);
		acceptors_watch(as);
	}
}

/* Whether accept4() failed for lack of something that may become free again. */
static bool
acceptor_is_exhausted(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
	       err == ENOMEM;
}

/* accept4(2).  The operator may take the spare descriptor. */
static int
acceptor_next(struct acceptor *a, struct sockaddr_storage *from)
{
	struct sockaddr *at = (struct sockaddr *)from;
	const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	socklen_t len = sizeof(*from);
	int fd = accept4(a->io.fd, at, &len, flags);

	if (fd != -1 || !a->admin || !acceptor_is_exhausted(errno) ||
	    !acceptors_give_spare(a->all))
		return fd;
	len = sizeof(*from);
	return accept4(a->io.fd, at, &len, flags);
}

/* A client's connection has been accepted. */
static void
acceptor_open(struct acceptor *a, int fd, const struct sockaddr_storage *from)
{
	static const int unsent_max = CONFIG_UNSENT_MAX;
	struct ip_address peer;

	/* A socket of TCP has a bound from its listener; of these, the kernel
	 * holds all that is not read. */
	if (a->from.local)
		setsockopt(
		    fd, SOL_SOCKET, SO_SNDBUF, &unsent_max, sizeof(unsent_max));
	CHECK(ip_from_sockaddr(&peer, from));
	conns_open(a->all->net, fd, &peer, &a->from);
}

/* Accept so many at most.  Returns how many; if that is less, errno says why. */
static int
acceptor_accept(struct acceptor *a, int most)
{
	struct net *net = a->all->net;
	struct sockaddr_storage from;
	int n, fd;

	for (n = 0; n < most; n++) {
		fd = acceptor_next(a, &from);
		if (fd == -1)
			break;
		if (a->admin)
			conns_open_admin(net, fd, a->from.loopback);
		else
			acceptor_open(a, fd, &from);
	}
	return n;
}

/* Whether another worker that serves has fewer connections than this one. */
static bool
acceptor_leads(const struct acceptors *as)
{
	const struct segment *seg = as->segment;

	for (unsigned i = 0; i < segment_workers(seg); i++) {
		const struct layout_worker *other = &seg->workers[i];

		if (i != as->slot &&
		    atomic_load_explicit(&other->state, memory_order_relaxed) ==
			WORKER_READY &&
		    stats_get(other->counters, STATS_CONNECTIONS) +
			    ACCEPTOR_LEAD <
			as->net->conns.count)
			return true;
	}
	return false;
}

/* Leave what has come to others, for a moment.  Returns whether it does. */
static bool
acceptor_steps_aside(struct acceptor *a)
{
	struct acceptors *as = a->all;

	if (!a->from.local || !acceptor_leads(as))
		return false;
	a->is_aside = true;
	ev_io_stop(as->net->loop, &a->io);
	if (!ev_is_active(&as->aside)) {
		ev_timer_set(&as->aside, ACCEPTOR_ASIDE_S, 0);
		ev_timer_start(as->net->loop, &as->aside);
	}
	return true;
}

static void
acceptors_aside_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct acceptors *as = container_of(timer, struct acceptors, aside);

	(void)loop;
	(void)revents;
	for (size_t i = 0; i < as->count; i++) {
		struct acceptor *a = &as->list[i];

		if (a->is_aside && !a->closed && !as->paused && !as->waiting)
			acceptor_accept(a, ACCEPTOR_SHARED_TURN_MAX);
		a->is_aside = false;
	}
	if (!as->paused)
		acceptors_watch(as);
}

static void
acceptor_accept_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct acceptor *a = container_of(io, struct acceptor, io);
	struct acceptors *as = a->all;
	int most = a->from.local ? ACCEPTOR_SHARED_TURN_MAX : ACCEPTOR_TURN_MAX;
	int n;

	(void)loop;
	(void)revents;
	if (acceptor_steps_aside(a))
		return;
	n = acceptor_accept(a, most);
	if (n == most)
		return;
	/* accept() reports EMFILE even when the queue is empty.  Pause only if
	 * this call accepted nothing; if clients wait, the next call reports it
	 * again. */
	if (acceptor_is_exhausted(errno) && n == 0) {
		acceptors_pause(as, a);
	} else if (errno == EAGAIN && as->paused && !a->admin) {
		as->paused = false;
		log_warnx("accepting goes on");
	}
}

static void
acceptors_add(
    struct acceptors *as, const struct worker_listener *listener, bool admin)
{
	struct acceptor *a = &as->list[as->count++];
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	struct ip_address ip;

	a->all = as;
	a->from.tls = listener->tls;
	a->from.proxy = listener->proxy;
	a->admin = admin;
	if (getsockname(listener->fd, (struct sockaddr *)&local, &len) == 0 &&
	    ip_from_sockaddr(&ip, &local)) {
		a->from.local = local.ss_family == AF_UNIX;
		a->from.loopback = a->from.local || ip_is_loopback(&ip);
	}
	ev_io_init(&a->io, acceptor_accept_cb, listener->fd, EV_READ);
	ev_io_start(as->net->loop, &a->io);
}

void
acceptors_open(
    struct acceptors *as, struct net *net, const struct worker_args *args)
{
	memset(as, 0, sizeof(*as));
	as->net = net;
	as->spare = -1;
	as->segment = args->segment;
	as->slot = args->slot;
	as->list = xcalloc(args->listener_count + 1, sizeof(*as->list));
	ev_timer_init(&as->retry, acceptors_retry_cb, ACCEPTOR_RETRY_S, 0);
	ev_timer_init(&as->aside, acceptors_aside_cb, ACCEPTOR_ASIDE_S, 0);
	for (size_t i = 0; i < args->listener_count; i++)
		acceptors_add(as, &args->listeners[i], false);
	as->has_admin = args->admin_listener != NULL;
	if (as->has_admin)
		acceptors_add(as,
		    &(struct worker_listener){ .fd = *args->admin_listener },
		    true);
	acceptors_keep_spare(as);
}

static void
acceptor_close(struct acceptor *a, bool close_fd)
{
	if (a->closed)
		return;
	a->closed = true;
	ev_io_stop(a->all->net->loop, &a->io);
	if (close_fd)
		close(a->io.fd);
}

void
acceptors_leave(struct acceptors *as, bool close_fds)
{
	for (size_t i = 0; i < as->count; i++) {
		struct acceptor *a = &as->list[i];

		if (a->admin)
			continue;
		/* Closing the socket would reset the connections in its
		 * queue. */
		if (close_fds && !a->closed)
			acceptor_accept(a, SOMAXCONN);
		acceptor_close(a, close_fds);
	}
}

/* Stop accepting. */
static void
acceptors_end(struct acceptors *as, bool close_fds)
{
	for (size_t i = 0; i < as->count; i++)
		acceptor_close(&as->list[i], close_fds);
	acceptors_give_spare(as);
	ev_timer_stop(as->net->loop, &as->retry);
	ev_timer_stop(as->net->loop, &as->aside);
	as->closed = true;
}

void
acceptors_close(struct acceptors *as)
{
	acceptors_end(as, true);
}

void
acceptors_fini(struct acceptors *as)
{
	acceptors_end(as, false);
	free(as->list);
	as->list = NULL;
	as->count = 0;
}
