/* SPDX-License-Identifier: MIT */
/* worker.c - see worker.h. */

#include "worker/worker.h"

#include "common/handshake.h"
#include "common/sha256.h"
#include "worker/open.h"
#include "worker/pubsub.h"
#include "worker/sandbox.h"
#include "worker/state.h"
#include "worker/take_over.h"

#include <malloc.h>
#include <time.h>

/* Allocations from this size on are pages of their own, and of the heap's top
 * so much is kept for the next to come; bytes. */
#define WORKER_MMAP_MIN (256 * 1024)
#define WORKER_TOP_MAX  (1024 * 1024)

/*
 * Have the memory of a large message go back to the system when it is freed.
 * By default, glibc takes the first large allocation for the usual case, puts
 * the next on the heap, and keeps up to twice the size at the heap's top: a
 * worker would stay as large as its largest messages.
 */
static void
worker_bound_heap(void)
{
	mallopt(M_MMAP_THRESHOLD, WORKER_MMAP_MIN);
	mallopt(M_TRIM_THRESHOLD, WORKER_TOP_MAX);
}

/* Have libraries read now the files that they read at their first use: OpenSSL
 * its configuration, the C library the time zone. */
static void
worker_touch_libraries(void)
{
	uint8_t digest[SHA256_LEN];
	static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
	char accept[HANDSHAKE_ACCEPT_LEN + 1];

	handshake_accept(key, HANDSHAKE_KEY_LEN, accept);
	sha256(key, HANDSHAKE_KEY_LEN, digest);
	tzset();
}

/* Give up the rights that a worker does not need, and note in the table
 * which. */
static bool
worker_confine(struct worker *w)
{
	uint32_t confined = CONFINED_NOT_WANTED;

	worker_touch_libraries();
#ifdef NO_SANDBOX /* the Makefile says for which builds, and why */
	confined = CONFINED_NOT_BUILT;
#else
	if (w->args->config->sandbox &&
	    !sandbox_enter(w->files.root, w->files.walks, &confined))
		return false;
#endif
	atomic_store(&w->hub.seg->workers[w->hub.slot].confined, confined);
	return true;
}

int
worker_serve(const struct worker_args *args, const struct service *service)
{
	static struct worker worker;
	struct worker *w = &worker;

	worker_bound_heap();
	if (!worker_open(w, args, service) || !worker_confine(w))
		return 1;
	if (args->predecessor != NULL && !take_over(w))
		return 1;
	worker_set_state(args, WORKER_READY);
	ev_run(w->net.loop, 0);
	worker_close(w);
	return 0;
}

int
worker_main(const struct worker_args *args)
{
	return worker_serve(args, &pubsub_service);
}
