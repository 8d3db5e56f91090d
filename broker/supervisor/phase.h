/* SPDX-License-Identifier: MIT */
/*
 * phase.h - what the supervisor is doing, and what makes it do something else.
 *
 *	STARTING --+                       +--> RESTARTING --> (exec) RESUMING
 *	           +--> SERVING -----------+--> RENEWING ----> RESUMING
 *	RESUMING --+                       +--> STOPPING ----> OVER
 *	STARTING --------------------------> FAILING ------> OVER
 *
 * The table in phase.c is the whole of it.  Nothing here does anything, so it is
 * tested by itself; supervisor_event() (order.c) does what a step says.
 */

#ifndef BROKER_SUPERVISOR_PHASE_H
#define BROKER_SUPERVISOR_PHASE_H

#include "broker/shared/layout.h"

#include <stdbool.h>

enum phase {
	PHASE_STARTING = 0, /* somebody waits for the ready line */
	PHASE_RESUMING,     /* the next run of a server that has been ready */
	PHASE_SERVING,
	/* the run comes to an end, and nobody is replaced: */
	PHASE_STOPPING,
	PHASE_RESTARTING, /* then execute the program on disk */
	PHASE_RENEWING,   /* the ring is broken: then make a new one */
	PHASE_FAILING,    /* the start comes to nothing */
	PHASE_OVER,
	PHASES
};

enum event {
	EVENT_READY = 0, /* every worker is */
	EVENT_UNREADY,   /* the workers of a start will not be */
	EVENT_STOP,      /* told to stop */
	EVENT_RESTART,   /* told to restart, and the new program would start */
	EVENT_RING_BROKEN, /* it kills workers */
	EVENT_WORKERLESS,  /* none is left, and --no-respawn */
	EVENT_RUN_ENDED,   /* the last worker of a run that ends is reaped */
	EVENTS
};

struct phase_step {
	bool is_one; /* the event means something in this phase */
	enum phase next;
	bool orders; /* the workers get this order */
	enum run_order order;
};

/* The effect of an event in a phase. */
struct phase_step phase_step(enum phase phase, enum event event);

/* Whether workers that die are replaced in this phase. */
bool phase_serves(enum phase phase);

#endif
