/* SPDX-License-Identifier: MIT */
/*
 * handover.c - see handover.h.
 *
 * The text: pid, lock file, log, number of sockets per
 * address, number of addresses, then the
 * sockets of worker 0, of worker 1, and so on, then the operator's or -1, then
 * the segment's claim, then (an upgrade) what struct handover_kept has, in its
 * order, all as decimal numbers.  Older programs know nothing of the last ones of
 * these, and leave them out.
 */

#include "broker/supervisor/handover.h"

#include "common/bug.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nineteen numbers, every socket, and four of each worker, each of at most 11
 * characters and a space. */
#define HANDOVER_TEXT_MAX \
	((19 + CONFIG_WORKERS_MAX * (CONFIG_LISTEN_MAX + 4)) * 12)

/* Descriptors of an upgrade that all workers share. */
#define HANDOVER_KEPT_COMMON 5

static void
handover_append(char *text, size_t *len, int number)
{
	int n = snprintf(text + *len, HANDOVER_TEXT_MAX - *len, "%d ", number);

	*len += (size_t)n;
	CHECK(*len < HANDOVER_TEXT_MAX);
}

/* Descriptor i of an upgrade, in the order of the text; of so many. */
static int *
handover_kept_fd(struct handover_kept *kept, unsigned i)
{
	int *const common[HANDOVER_KEPT_COMMON] = { &kept->life[0],
		&kept->life[1], &kept->state_fd, &kept->log[0], &kept->log[1] };

	if (i < HANDOVER_KEPT_COMMON)
		return common[i];
	i -= HANDOVER_KEPT_COMMON;
	return i < kept->workers ? &kept->doorbell[i]
	                         : &kept->successor[i - kept->workers];
}

static unsigned
handover_kept_count(const struct handover_kept *kept)
{
	return kept->workers > 0 ? HANDOVER_KEPT_COMMON + 2 * kept->workers : 0;
}

/* Descriptors that an upgrade may do without, beside those of a nursery. */
#define HANDOVER_KEPT_MORE (2 + HANDOVER_STORES)

/* Descriptor i of those, in the order of the text. */
static int *
handover_more_fd(struct handover_kept *kept, unsigned i)
{
	if (i < 2)
		return i == 0 ? &kept->bridge : &kept->page;
	i -= 2;
	if (i < HANDOVER_STORES)
		return &kept->store[i];
	i -= HANDOVER_STORES;
	return i < kept->workers ? &kept->asked[i]
	                         : &kept->predecessor[i - kept->workers];
}

static unsigned
handover_more_count(const struct handover_kept *kept)
{
	if (kept->workers == 0)
		return 0;
	return HANDOVER_KEPT_MORE + (kept->is_nursery ? 2 * kept->workers : 0);
}

static void
handover_keep_fd(int fd, bool keep)
{
	if (fd != -1)
		fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

void
handover_keep(const struct handover_kept *kept, bool keep)
{
	struct handover_kept all = *kept;

	for (unsigned i = 0; i < handover_kept_count(kept); i++)
		handover_keep_fd(*handover_kept_fd(&all, i), keep);
	for (unsigned i = 0; i < handover_more_count(kept); i++)
		handover_keep_fd(*handover_more_fd(&all, i), keep);
}

void
handover_put(const struct handover *handover)
{
	const struct listeners *listeners = &handover->listeners;
	struct handover_kept kept = handover->kept;
	char text[HANDOVER_TEXT_MAX];
	size_t len = 0;

	handover_append(text, &len, getpid());
	handover_append(text, &len, handover->lock_fd);
	handover_append(text, &len, handover->log_fd);
	handover_append(text, &len, (int)listeners->sockets);
	handover_append(text, &len, (int)listeners->count);
	for (unsigned w = 0; w < listeners->sockets; w++)
		for (size_t i = 0; i < listeners->count; i++)
			handover_append(text, &len, listeners->fd[w][i]);
	handover_append(text, &len,
	    handover->admin.count > 0 ? handover->admin.fd[0][0] : -1);
	handover_append(text, &len, handover->claim);
	handover_append(text, &len, (int)handover->kept.workers);
	for (unsigned i = 0; i < handover_kept_count(&handover->kept); i++)
		handover_append(text, &len, *handover_kept_fd(&kept, i));
	for (unsigned i = 0; i < handover_more_count(&kept); i++) {
		if (i == HANDOVER_KEPT_MORE)
			handover_append(text, &len, kept.is_nursery);
		handover_append(text, &len, *handover_more_fd(&kept, i));
	}
	CHECK(setenv(HANDOVER_VARIABLE, text, 1) == 0);
}

/* Read a number between these two; *text moves behind it. */
static bool
handover_number(const char **text, long min, long max, int *out)
{
	char *end;
	long n = strtol(*text, &end, 10);

	if (end == *text || n < min || n > max)
		return false;
	*text = end;
	*out = (int)n;
	return true;
}

/* Read a descriptor that is open. */
static bool
handover_descriptor(const char **text, int *fd)
{
	return handover_number(text, 0, INT32_MAX, fd) &&
	       fcntl(*fd, F_GETFD) != -1;
}

/* Ask a socket for its address. */
static bool
handover_address(struct listeners *listeners, size_t at)
{
	struct config_address *address = &listeners->address[at];
	int fd = listeners->fd[0][at], v6only = 1;
	socklen_t len = sizeof(v6only);

	address->len = sizeof(address->addr);
	if (getsockname(fd, (struct sockaddr *)&address->addr, &address->len) ==
	    -1)
		return false;
	/* Those that join it have to be as it is. */
	if (address->addr.ss_family == AF_INET6)
		getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &len);
	address->dual = v6only == 0;
	return true;
}

static bool
handover_listeners(const char **text, struct listeners *listeners)
{
	int workers, count;

	memset(listeners, 0, sizeof(*listeners));
	if (!handover_number(text, 1, CONFIG_WORKERS_MAX, &workers) ||
	    !handover_number(text, 1, CONFIG_LISTEN_MAX, &count))
		return false;
	listeners->workers = (unsigned)workers;
	listeners->sockets = (unsigned)workers;
	listeners->count = (size_t)count;
	for (unsigned w = 0; w < listeners->workers; w++)
		for (size_t i = 0; i < listeners->count; i++)
			if (!handover_descriptor(text, &listeners->fd[w][i]))
				return false;
	for (size_t i = 0; i < listeners->count; i++)
		if (!handover_address(listeners, i))
			return false;
	return true;
}

static bool
handover_admin(const char **text, struct listeners *admin)
{
	int fd;

	memset(admin, 0, sizeof(*admin));
	if (!handover_number(text, -1, INT32_MAX, &fd) || fd == -1)
		return true;
	admin->workers = 1;
	admin->sockets = 1;
	admin->count = 1;
	admin->alone = true;
	admin->fd[0][0] = fd;
	return handover_address(admin, 0);
}

static void
handover_claim(const char **text, int *claim)
{
	if (!handover_number(text, -1, INT32_MAX, claim) ||
	    fcntl(*claim, F_SETFD, FD_CLOEXEC) == -1)
		*claim = -1;
}

/* What older programs do not pass on is not there.  Returns false if a nursery does
 * not get all that it needs. */
static bool
handover_take_more(const char **text, struct handover_kept *kept)
{
	int is_nursery = 0;

	for (unsigned i = 0; i < HANDOVER_KEPT_MORE; i++) {
		int *fd = handover_more_fd(kept, i);

		if (!handover_number(text, -1, INT32_MAX, fd))
			*fd = -1;
	}
	if (handover_number(text, 0, 1, &is_nursery))
		kept->is_nursery = is_nursery == 1;
	for (unsigned i = HANDOVER_KEPT_MORE; i < handover_more_count(kept);
	     i++)
		if (!handover_descriptor(text, handover_more_fd(kept, i)))
			return false;
	return true;
}

/* Returns false if there are workers, and not all that goes with them. */
static bool
handover_take_kept(const char **text, struct handover_kept *kept)
{
	int workers;

	memset(kept, 0, sizeof(*kept));
	if (!handover_number(text, 0, CONFIG_WORKERS_MAX, &workers))
		return true; /* an older program */
	kept->workers = (unsigned)workers;
	for (unsigned i = 0; i < handover_kept_count(kept); i++) {
		int *fd = handover_kept_fd(kept, i);

		if (!handover_number(text, -1, INT32_MAX, fd) ||
		    (*fd == -1 && i < HANDOVER_KEPT_COMMON + kept->workers))
			return false;
	}
	if (!handover_take_more(text, kept))
		return false;
	handover_keep(kept, false);
	return true;
}

bool
handover_is_there(void)
{
	const char *text = getenv(HANDOVER_VARIABLE);
	int pid;

	return text != NULL && handover_number(&text, 1, INT32_MAX, &pid) &&
	       pid == getpid();
}

bool
handover_take(struct handover *handover)
{
	const char *text = getenv(HANDOVER_VARIABLE);
	bool whole;
	int pid;

	if (!handover_is_there())
		return false;
	whole = handover_number(&text, 1, INT32_MAX, &pid) &&
	        handover_descriptor(&text, &handover->lock_fd) &&
	        handover_number(&text, -1, INT32_MAX, &handover->log_fd) &&
	        handover_listeners(&text, &handover->listeners) &&
	        handover_admin(&text, &handover->admin);
	if (whole)
		handover_claim(&text, &handover->claim);
	whole = whole && handover_take_kept(&text, &handover->kept);
	handover_drop();
	return whole;
}

void
handover_drop(void)
{
	unsetenv(HANDOVER_VARIABLE);
}
