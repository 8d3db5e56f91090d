/* SPDX-License-Identifier: MIT */
/*
 * load.h - what the load generator's processes share.
 *
 *	parent (load_run.c)               children (load_proc.c), one per share
 *	  forks, gives the phases,          of the clients: each has its own
 *	  prints progress and report        loop and writes its own counters
 *	        |                                   |
 *	        +------ struct load_shared ---------+   (anonymous memory)
 *
 * Who may write: start_ns the parent, before it says LOAD_GO; each element of
 * process[] the child of that number alone; the rooms everybody.  Numbers are
 * read at any time, so they are atomic; nothing else orders them but the
 * control sockets.
 */

#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "tests/load/histogram.h"

#define LOAD_WHY_MAX 160 /* bytes of a reason, NUL included */

/* Clients of one source address: the kernel has some 28,000 ports for each, and
 * when every other one is taken it searches long. */
#define LOAD_CLIENTS_PER_ADDRESS 12000u

struct load_options {
	unsigned clients;
	unsigned room_size;
	double interval;       /* seconds between two messages of a client */
	double seconds;        /* that messages are sent */
	double wait;           /* seconds without a delivery at the end */
	unsigned size;         /* bytes of a message */
	unsigned processes;    /* 0: as many as the descriptors ask for */
	unsigned connect_rate; /* per second, of all processes together */
	const char *url;
	pid_t server_pid; /* 0: whoever listens on the URL's port */
	bool json;
};

/* Where the server is, from load_target_find(). */
struct load_target {
	char authority[256]; /* for the Host line */
	char path[1024];     /* with the query */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	uint16_t port;
	bool is_local; /* on this host */
	bool is_tls;   /* wss://, whatever the certificate */
};

/* What the parent says over a child's control socket, a byte each.  Its end
 * means: exit at once. */
enum load_order {
	LOAD_GO = 'g',    /* send, from start_ns on */
	LOAD_STOP = 's',  /* send no more */
	LOAD_CLOSE = 'c', /* close all connections, then exit */
};

typedef _Atomic uint64_t load_number;

struct load_process {
	load_number ready;      /* clients in their room */
	load_number failed;     /* could not be connected */
	load_number broken;     /* connections lost after that */
	load_number broken_had; /* deliveries to them before */
	load_number is_done;    /* all that was to be sent is sent */
	load_number sent;       /* messages */
	load_number unsent;     /* skipped: the socket still had one waiting */
	load_number expected;   /* deliveries, by what was sent */
	load_number delivered;  /* different ones */
	load_number doubled;    /* came again */
	load_number disordered; /* overtaken by a later one of its sender */
	load_number strange;    /* not of this run and room */
	load_number late_ns;    /* the worst: sent after it was due */
	load_number last_ns;    /* when the last delivery came */
	struct histogram latency; /* nanoseconds */
	load_number has_why;      /* why is written, and stays */
	char why[LOAD_WHY_MAX];   /* of the first failed or broken connection */
};

/* Written by all processes, with atomic additions. */
struct load_room {
	load_number sent;   /* messages to it */
	load_number broken; /* of its members' connections */
};

struct load_shared {
	load_number start_ns;
	unsigned run; /* a random number that keeps runs apart */
	unsigned processes;
	unsigned rooms;
	struct load_process process[]; /* and then the rooms */
};

static inline struct load_room *
load_room(struct load_shared *shared, unsigned room)
{
	return (struct load_room *)&shared->process[shared->processes] + room;
}

static inline uint64_t
load_get(const load_number *number)
{
	return atomic_load_explicit(number, memory_order_acquire);
}

/* Callers: the one writer of number. */
static inline void
load_set(load_number *number, uint64_t value)
{
	atomic_store_explicit(number, value, memory_order_release);
}

/* Callers: the one writer of number. */
static inline void
load_add(load_number *number, uint64_t by)
{
	load_set(number, load_get(number) + by);
}

/* Nanoseconds of the monotonic clock, the same in all processes. */
static inline uint64_t
load_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Take a ws:// or wss:// URL apart, resolve its host and connect to it once, to have the
 * first address that answers.
 *
 * Blocks:  for the resolver and the connection, some seconds at most.
 * Returns: 0; or, with what is wrong in why, an exit status: 1 nobody answers,
 *          2 the URL makes no sense.
 */
int load_target_find(struct load_target *target, const char *url,
    unsigned clients, char why[LOAD_WHY_MAX]);

/* Run the clients [first, first + count) as process number self, and exit. */
_Noreturn void load_proc_main(const struct load_options *options,
    const struct load_target *target, struct load_shared *shared, unsigned self,
    unsigned first, unsigned count, int control_fd);

/* Do all of it.  Returns: the exit status. */
int load_run(
    const struct load_options *options, const struct load_target *target);

#endif
