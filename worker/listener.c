/* SPDX-License-Identifier: MIT */
/* listener.c - see listener.h. */

#include "worker/listener.h"

#include "common/bug.h"
#include "common/container.h"
#include "common/log.h"
#include "worker/share.h"
#include "worker/state.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
listeners_pause(struct worker *w)
{
	struct listeners *ls = &w->listeners;

	if (!ls->paused) {
		log_warn(
		    "accepting pauses with %u connections", w->conns.count);
		stats_add(&w->stats, STATS_ACCEPT_PAUSES, 1);
	}
	ls->paused = true;
	for (size_t i = 0; i < ls->count; i++)
		ev_io_stop(w->loop, &ls->list[i].io);
	ev_timer_stop(w->loop, &ls->retry);
	ev_timer_set(&ls->retry, LISTENER_RETRY_S, 0);
	ev_timer_start(w->loop, &ls->retry);
}

static void
listeners_watch(struct worker *w)
{
	struct listeners *ls = &w->listeners;

	if (ls->closed)
		return;
	for (size_t i = 0; i < ls->count; i++)
		ev_io_start(w->loop, &ls->list[i].io);
}

/* Try again; whether it works shows at the next accept. */
static void
listeners_retry_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct listeners *ls = container_of(timer, struct listeners, retry);

	(void)loop;
	(void)revents;
	listeners_watch(container_of(ls, struct worker, listeners));
}

void
listeners_descriptors_freed(struct worker *w)
{
	if (w->listeners.paused && !w->listeners.closed) {
		ev_timer_stop(w->loop, &w->listeners.retry);
		listeners_watch(w);
	}
}

/* Whether accept4() failed for want of something that may come back. */
static bool
listener_is_exhausted(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
	       err == ENOMEM;
}

static void
listener_accept_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct listener *l = container_of(io, struct listener, io);
	struct sockaddr_storage peer;
	socklen_t len;
	int fd;

	(void)loop;
	(void)revents;
	for (int i = 0; i < LISTENER_TURN_MAX; i++) {
		len = sizeof(peer);
		fd = accept4(io->fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1)
			break;
		conn_open(l->w, fd, &peer, l->loopback);
	}
	if (fd == -1 && listener_is_exhausted(errno)) {
		listeners_pause(l->w);
	} else if (fd == -1 && errno == EAGAIN && l->w->listeners.paused) {
		l->w->listeners.paused = false;
		log_info("accepting goes on");
	}
}

void
listeners_open(struct worker *w, const int *fds, size_t count)
{
	struct listeners *ls = &w->listeners;

	CHECK(count <= CONFIG_LISTEN_MAX);
	memset(ls, 0, sizeof(*ls));
	ls->count = count;
	ev_timer_init(&ls->retry, listeners_retry_cb, LISTENER_RETRY_S, 0);
	for (size_t i = 0; i < count; i++) {
		struct listener *l = &ls->list[i];
		struct sockaddr_storage local;
		socklen_t len = sizeof(local);

		l->w = w;
		memset(&local, 0, sizeof(local));
		if (getsockname(fds[i], (struct sockaddr *)&local, &len) == 0)
			l->loopback = share_is_exempt(&local);
		ev_io_init(&l->io, listener_accept_cb, fds[i], EV_READ);
		ev_io_start(w->loop, &l->io);
	}
}

void
listeners_close(struct worker *w, bool close_fds)
{
	struct listeners *ls = &w->listeners;

	for (size_t i = 0; i < ls->count; i++) {
		ev_io_stop(w->loop, &ls->list[i].io);
		if (close_fds && !ls->closed)
			close(ls->list[i].io.fd);
	}
	ev_timer_stop(w->loop, &ls->retry);
	ls->closed = true;
}
