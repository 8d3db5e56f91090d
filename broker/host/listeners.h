/* SPDX-License-Identifier: MIT */
/*
 * listeners.h - the listening sockets: one per worker and address.
 *
 * All sockets of an address share its port by SO_REUSEPORT, so that the kernel
 * spreads the connections.  The supervisor keeps every one open: what is queued
 * on the socket of a dead worker waits there for its successor.
 *
 * SO_REUSEPORT alone would also share the port, silently, with any program of
 * the same user that asks for it.  So the first socket of an address is bound
 * and listening without it, which fails if anybody has the port, and given the
 * option only then; the others join it.  (What that cannot keep away is a
 * program of the same user that comes later and asks for SO_REUSEPORT itself.)
 *
 * A restart may bring fewer workers.  To close the sockets that are left over
 * would reset whoever is queued there, so these stay open until the server stops:
 * each of the workers accepts from some of them, and a filter of the kernel's
 * keeps new connections away from them.
 *
 * A unix socket cannot be shared by its path.  There is one, which every worker
 * has, and the workers see to it themselves that each gets its part
 * (worker/net/acceptor.h).
 *
 * The operator's pages have one socket, which all workers accept from and
 * nobody can join: there is little to spread, and while any worker is well, it
 * answers.
 */

#ifndef BROKER_HOST_LISTENERS_H
#define BROKER_HOST_LISTENERS_H

#include "broker/host/unix_socket.h"
#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>

#define LISTENERS_ERROR_MAX 256 /* bytes of a reason */
#define LISTENERS_URLS_MAX  512 /* bytes of all addresses as URLs */

/* Sockets that one worker accepts from, at most. */
#define LISTENERS_OF_WORKER_MAX (CONFIG_WORKERS_MAX * CONFIG_LISTEN_MAX)

struct listeners {
	struct config_address address[CONFIG_LISTEN_MAX]; /* ports chosen */
	size_t count;                                     /* of addresses */
	unsigned workers;
	unsigned sockets; /* per address: >= workers, the rest is left over */
	bool alone;       /* one socket for all workers; workers is 1 then */
	/* Non-blocking.  A unix socket is one for all workers. */
	int fd[CONFIG_WORKERS_MAX][CONFIG_LISTEN_MAX];
	struct unix_socket_file file[CONFIG_LISTEN_MAX]; /* of such ones */
	/* After a failure: the address that another program has; len 0 if that
	 * is not what was wrong. */
	struct config_address taken;
};

/* Whether this host has an IPv6 loopback address. */
bool listeners_have_ipv6(void);

/*
 * Open the sockets.  All addresses with port 0 get one port, the same; those
 * for TLS another, and those with a PROXY header.
 * Returns false with a reason that names the address.
 * Owns: the caller, until listeners_close().
 */
bool listeners_open(struct listeners *listeners,
    const struct config_address *address, size_t count, unsigned workers,
    char error[LISTENERS_ERROR_MAX]);

/*
 * Open one socket for all workers.
 * Returns false with a reason that names the address.
 * Owns: the caller, until listeners_close().
 */
bool listeners_open_alone(struct listeners *listeners,
    const struct config_address *address, char error[LISTENERS_ERROR_MAX]);

/*
 * Have sockets for this many workers: those that are missing are opened and join
 * the others; those too many stay open, but get no new connections where the
 * kernel can be told so (SO_ATTACH_REUSEPORT_CBPF).
 * Returns false with a reason; the sockets are as before then.
 */
bool listeners_resize(struct listeners *listeners, unsigned workers,
    char error[LISTENERS_ERROR_MAX]);

/* One socket, and the address that it is for (borrowed). */
struct listeners_socket {
	int fd;
	const struct config_address *address;
};

/* Write which sockets a worker accepts from: its own, and its share of those that
 * are left over.  Returns how many. */
size_t listeners_of_worker(const struct listeners *listeners, unsigned worker,
    struct listeners_socket out[LISTENERS_OF_WORKER_MAX]);

/*
 * Set what accepted sockets inherit; also on sockets that another version of the
 * program has opened.
 * unsent_max: bytes that the kernel takes for a peer beyond what is on its way
 * (TCP_NOTSENT_LOWAT): what it holds for a peer that does not read is bounded by
 * that and not by its send buffer of megabytes.
 * give_up_ms: when the kernel itself ends a connection whose peer takes nothing
 * (TCP_USER_TIMEOUT).
 * Returns false with errno set if the kernel knows one of them not.
 */
bool listeners_tune(
    struct listeners *listeners, int unsent_max, unsigned give_up_ms);

/*
 * "http://127.0.0.1:8000 unix:/run/a", with `between' between them; as many as there is room for.  Where a PROXY header comes first, ",proxy" stands
 * behind the port, so that no client takes it for an address of its own.
 * Returns out.
 */
const char *listeners_urls(const struct listeners *listeners,
    const char *between, char out[LISTENERS_URLS_MAX]);

/*
 * Connect to each address and ask for /healthz: whether somebody answers in
 * HTTP.  Blocks: at most this long for each.
 * Returns false with a reason that names the address.
 */
bool listeners_answer(const struct listeners *listeners, unsigned timeout_ms,
    char error[LISTENERS_ERROR_MAX]);

/*
 * Let all sockets live on over execve(2), or not.  While they are to live on, new
 * connections go to all of them: an older program would leave the filter of
 * listeners_resize() as it found it, and sockets that it adds get nothing.
 */
void listeners_keep_on_exec(struct listeners *listeners, bool keep);

/* Sockets were taken over from another program: know the files of unix sockets,
 * to remove them in the end. */
void listeners_adopt_files(struct listeners *listeners);

/* Close all sockets, and remove the files of unix sockets. */
void listeners_close(struct listeners *listeners);

#endif
