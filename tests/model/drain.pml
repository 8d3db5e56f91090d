/* SPDX-License-Identifier: MIT */
/*
 * drain.pml - everything accepted reaches every subscriber on every worker.
 *
 * Models worker/drain.c, commit_turn() in worker/requests/commit.c, and of the
 * supervisor order_give() in broker/supervisor/order.c, child_fork() and
 * child_reaped() in broker/supervisor/child.c.  A comment behind a statement
 * names the step of the code that it stands for; scripts/check-steps.sh holds
 * the two together.
 *
 * Shared: lock head sealed state evfd order alive
 *
 * Two workers publish, tail and sleep; each step may be a worker's last (MAXD).
 * The supervisor tells them to drain, reaps and, before that order, forks anew;
 * with SUPERVISOR_DIES it may be killed, too: then the workers drain by
 * themselves, and who is dead they know from the locks that the living hold.
 * With HALF half of the time that a drain may take can be over at any moment
 * after it began.
 *
 * Holds: a worker that leaves has tailed every record that was ever committed;
 * unless half of the time was over, what had been read from a client before the
 * drain is not refused; and (pan's own check for invalid end states) nobody
 * waits for ever: not for half of the time either, unless it is given.
 *
 * In a drain a worker has a turn each millisecond.  So what it waits for is
 * written as that condition itself, and no doorbell.
 */

#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef MAXD
#define MAXD 1    /* deaths of workers */
#endif

#define NONE     0
#define STARTING 1
#define STOPPED  2
#define GONE     3
#define FREE 0
#define DEAD 9

byte lock, head;
bit sealed, order, evfd[2];
byte state[2];

/* The truth. */
bit zombie[2], alive[2], out[2], half, orphaned;
byte published, deaths, respawned;

#define OTHER (1 - me)
#ifdef BREAK_ORPHANS_TAKE_NOBODY_FOR_DEAD
#define IS_DEAD(i) false
#else
#define IS_DEAD(i) (orphaned && i != me && !alive[i])
#endif
#define IS_STOPPED(i) (state[i] == NONE || state[i] >= STOPPED || IS_DEAD(i))
#define ALL_ARE_STOPPED (IS_STOPPED(0) && IS_STOPPED(1))
#define CAN_LOCK (lock == FREE || lock == DEAD)

/* A worker's step; before it, it may be killed. */
#define STEP(x) atomic { \
	if \
	:: deaths < MAXD -> deaths++; goto killed \
	:: true -> x \
	fi }

inline publish() {
#ifdef BREAK_SEALED_LOOKED_AT_BEFORE_LOCK
	refused = sealed;                                   /* seal-7 */
#endif
	atomic { CAN_LOCK -> lock = me + 1 };               /* lock-1 */
#ifndef BREAK_SEALED_LOOKED_AT_BEFORE_LOCK
	STEP(refused = sealed);                             /* seal-7 */
#endif
	if
	:: refused -> assert(half)
	:: else ->
		STEP(assert(!out[0] && !out[1]);
			head = head + 1)                    /* publish-3 */
	fi;
	STEP(lock = FREE);                                  /* lock-5 */
	d_step { in_hand = 0; refused = 0 }
}

inline seal() {
#ifdef BREAK_FINAL_HEAD_BEFORE_SEAL
	final = head;                                       /* seal-6 */
#endif
#ifndef BREAK_SEALED_WITHOUT_LOCK
	atomic { CAN_LOCK -> lock = me + 1 };               /* lock-1 */
#endif
#ifndef BREAK_NOT_SEALED
	STEP(sealed = 1);                                   /* seal-5 */
#endif
#ifndef BREAK_SEALED_WITHOUT_LOCK
	STEP(lock = FREE);                                  /* lock-5 */
#endif
#ifndef BREAK_FINAL_HEAD_BEFORE_SEAL
	STEP(final = head)                                  /* seal-6 */
#endif
}

proctype worker(byte me) {
	byte cursor, final;
	bit in_hand, refused, begun;

#ifdef BREAK_STARTING_SAID_BY_THE_CHILD
	state[me] = STARTING;                               /* fork-1 */
#endif
	alive[me] = 1;                                      /* fork-2 */
	cursor = head;                                      /* tail-1 */
	if
	:: orphaned -> goto stopped    /* the first wait says so already */
	:: else
	fi;
turn:
	if
	:: !in_hand && published < MESSAGES -> STEP(published++; in_hand = 1)
	:: true
	fi;
	if
	:: in_hand -> publish()
	:: in_hand && !CAN_LOCK                             /* lock-1 */
	:: !in_hand
	fi;
	begun = order || orphaned;                          /* seal-1 */
	if
#ifdef BREAK_STOPPED_SAID_WITH_A_REQUEST_IN_HAND
	:: begun -> goto stopped
#else
	:: begun && !in_hand -> goto stopped
	:: begun && in_hand -> goto turn
#endif
	:: else
	fi;
	cursor = head;                                      /* tail-1 */
	if
	:: in_hand
	:: published < MESSAGES
	:: orphaned
	:: head != cursor                                   /* sleep-3 */
	:: evfd[me] -> evfd[me] = 0                         /* sleep-6 */
	fi;
	goto turn;
stopped:
	STEP(state[me] = STOPPED);                          /* seal-2 */
	STEP(evfd[OTHER] = 1);                              /* seal-3 */
#ifdef BREAK_STOPPED_SAID_WITH_A_REQUEST_IN_HAND
	if :: in_hand -> publish() :: else fi;
#endif
#ifndef BREAK_SEALED_AT_ONCE
	ALL_ARE_STOPPED || half;                            /* seal-4 */
#endif
	seal();
	cursor = (final > cursor -> final : cursor);        /* tail-1 */
	STEP(assert(cursor == head); out[me] = 1);          /* tail-1 */
	goto over;
killed:	skip;
	d_step { cursor = 0; final = 0; in_hand = 0; refused = 0; begun = 0 };
	atomic {
		if
		:: lock == me + 1 -> lock = DEAD            /* lock-1 */
		:: else                                     /* lock-1 */
		fi;
		zombie[me] = 1;
		alive[me] = 0                               /* fork-2 */
	};
over:	skip
}

inline start(i) {
#ifndef BREAK_STARTING_SAID_BY_THE_CHILD
	state[i] = STARTING;                                /* fork-1 */
#endif
	run worker(i)
}

inline reap(i) {
	zombie[i] = 0;
#ifndef BREAK_REAPED_NOT_MARKED
	state[i] = GONE;                                    /* reap-1 */
#endif
	evfd[0] = 1;                                        /* reap-2 */
	evfd[1] = 1;                                        /* reap-2 */
	if
#ifdef BREAK_RESPAWNED_IN_A_DRAIN
	:: respawned == 0 -> respawned = 1; start(i)
#else
	:: !order && respawned == 0 -> respawned = 1; start(i)  /* fork-1 */
#endif
	:: else                                             /* fork-1 */
	fi
}

proctype supervisor() {
	start(0);
	start(1);
end:	do
	:: zombie[0] -> reap(0)
	:: zombie[1] -> reap(1)
	:: !order ->                                        /* order-1 */
#ifdef BREAK_BELLS_BEFORE_ORDER
		evfd[0] = 1;                                /* order-2 */
		evfd[1] = 1;                                /* order-2 */
		order = 1                                   /* order-1 */
#else
		order = 1;                                  /* order-1 */
		evfd[0] = 1;                                /* order-2 */
		evfd[1] = 1                                 /* order-2 */
#endif
#ifdef SUPERVISOR_DIES
	:: orphaned = 1; break
#endif
	od
}

#ifdef HALF
proctype clock() {
end:	order || orphaned -> half = 1                       /* seal-4 */
}
#endif

init {
	atomic {
#ifdef HALF
		run clock();
#endif
		run supervisor()
	}
}
