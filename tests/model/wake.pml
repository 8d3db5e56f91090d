/* SPDX-License-Identifier: MIT */
/*
 * wake.pml - subscribe, fall asleep, be woken.
 *
 * Models broker/shared/wakeup.c, ring_interest() in broker/ring/ring.c,
 * commit_turn() in worker/requests/commit.c, turn_end() in worker/turn.c,
 * tail_turn() in worker/delivery/tail.c and subscribe_begin() in
 * worker/delivery/subscribe.c.  A comment behind a statement names the step of
 * the code that it stands for; scripts/check-steps.sh holds the two together.
 *
 * Shared: mem evfd rt rs
 *
 * Two publishers commit under the robust lock, leave it, and wake; each may be
 * killed before any of its steps (MAXD).  One worker subscribes to topic 0 at
 * whatever turn it likes, may end that and subscribe again (MAXEND), tails one
 * batch in a turn, and sleeps.  Topic 1 is noise that nobody wants.
 *
 * With -DTSO each processor has a store buffer, as x86 has: a store is seen by
 * the others some time later, and a fence waits until it is.  That is what the
 * two fences are for; without -DTSO they have nothing to do.
 *
 * Holds, when nothing moves any more: whatever was committed in the topic since
 * the subscription began was delivered or told as a gap; no gap was told that
 * is none; and (STOPPED) what one publisher has woken for is not kept waiting
 * by another that stands still for ever.
 *
 * Not in here: the wake-up of who is a quarter of the ring behind.  It makes
 * laps rarer; nothing hangs on it.
 */

#ifndef MAXM
#define MAXM 2    /* messages in all */
#endif
#ifndef MAXD
#define MAXD 0    /* deaths of publishers in all */
#endif
#ifndef MAXEND
#define MAXEND 0  /* subscriptions that end */
#endif
#ifndef CAP
#define CAP 100   /* records that the ring holds */
#endif
#define BATCH 2   /* records tailed in a turn */

#define LOCK     0
#define RESERVE  1
#define HEAD     2
#define APPLIED  3
#define DSEQ     4   /* the directory: topic 0's last number */
#define INTEREST 5   /* the topic's interest word: the one worker's bit */
#define SLEEPING 6

#define FREE 0
#define DEAD 9

byte mem[7];
bit evfd;                        /* the worker's doorbell */
byte rt[MAXM + 1], rs[MAXM + 1]; /* the log: topic and number by position */
byte messages, deaths, ends;

/* What the worker alone has. */
bit subscribed;
byte start, start_head, last, c, gapped;

byte woken_for; /* the highest number whose publisher has done with waking */
bit standing; /* a publisher stands still */

#ifdef TSO
chan buffer[3] = [4] of { byte, byte };
#define STORE(at, x) buffer[me]!at, x
#define FENCE        empty(buffer[me])
#define LOCKED       empty(buffer[me])   /* a locked instruction waits too */

/* A processor's store buffer: emptied in order, some time. */
proctype processor(byte me) {
	byte at, x;

end:	do
	:: atomic { buffer[me]?at, x -> mem[at] = x; at = 0; x = 0 }  /* any */
	od
}
#else
#define STORE(at, x) mem[at] = x
#define FENCE        skip
#define LOCKED       true
#endif

/* A publisher's step; before it, it may be killed. */
#define STEP(x) atomic { \
	if \
	:: deaths < MAXD -> deaths++; goto corpse \
	:: true -> x \
	fi }

#ifdef STOPPED
#define MAY_STOP atomic { if :: !standing -> standing = 1; goto stop :: true -> skip fi }
#else
#define MAY_STOP skip
#endif

inline lock_taken() {
	atomic {
		(mem[LOCK] == FREE || mem[LOCK] == DEAD) && LOCKED ->  /* lock-1 */
		mem[LOCK] = me + 1                             /* lock-1 */
	}
}

/* Whoever has the lock makes the directory what the log says.  A processor sees
 * its own stores; waiting for them stands for that. */
inline repair(at, end) {
	if
	:: mem[APPLIED] != mem[HEAD] ->                        /* lock-2 */
		atomic { at = mem[APPLIED]; end = mem[HEAD] }; /* lock-2 */
		do
		:: at < end && rt[at] == 0 -> STORE(DSEQ, rs[at]); at++  /* repair-1 */
		:: at < end && rt[at] != 0 -> at++             /* repair-1 */
		:: else -> break
		od;
		STORE(APPLIED, end);                           /* repair-2 */
		FENCE
	:: else                                                /* lock-2 */
	fi;
	at = 0;
	end = 0
}

/* Ring, if it wants the topic and sleeps; once per value of `sleeping'. */
inline wake() {
#ifndef BREAK_NO_FENCE_BEFORE_WAKING
	FENCE;                                                 /* wake-1 */
#endif
#ifndef BREAK_INTEREST_BEFORE_LOCK
	wanted = mem[INTEREST];                                /* wake-2 */
#endif
	if
	:: t == 0 && wanted ->
		g = mem[SLEEPING];                             /* wake-3 */
		if
		:: g % 2 == 1 && g != woke ->
#ifdef BREAK_WAKER_CLEARS_SLEEPING
			STORE(SLEEPING, 0);                    /* wake-3 */
#else
			woke = g;
#endif
			MAY_STOP;
			STEP(evfd = 1)                         /* wake-4 */
		:: else
		fi
	:: else
	fi;
	g = 0
}

proctype publisher(byte me) {
	byte h, s, t, g, woke;
	bit wanted;

	do
	:: messages < MAXM ->
#ifdef BREAK_INTEREST_BEFORE_LOCK
		wanted = mem[INTEREST];                        /* wake-2 */
#endif
		lock_taken();
		repair(h, s);
		if
		:: messages < MAXM ->
			STEP(messages++;
				h = mem[HEAD];                 /* lock-2 */
				if
				:: t = 0; s = mem[DSEQ] + 1    /* lock-2 */
				:: t = 1
				fi);
#ifdef BREAK_BELL_BEFORE_COMMIT
			wake();
#endif
			STEP(STORE(RESERVE, h + 1));           /* publish-1 */
			STEP(rt[h] = t; rs[h] = s);            /* publish-2 */
			STEP(STORE(HEAD, h + 1));              /* publish-3 */
			if
			:: t == 0 -> STEP(STORE(DSEQ, s))      /* publish-4 */
			:: else
			fi;
			STEP(STORE(APPLIED, h + 1));           /* publish-5 */
			/* The weakest unlock that there can be. */
			STEP(STORE(LOCK, FREE));               /* lock-5 */
			MAY_STOP;
#ifndef BREAK_BELL_BEFORE_COMMIT
			wake();
#endif
			atomic {
				if
				:: t == 0 && s > woken_for -> woken_for = s
				:: else
				fi
			}
		:: else -> STORE(LOCK, FREE)                   /* lock-5 */
		fi;
		d_step { h = 0; s = 0; t = 0; wanted = 0 }
	:: else -> break
	od;
	goto over;
corpse:	skip;
	/* What was retired lands; then the kernel says in the lock that its
	 * owner has died, and the supervisor reaps. */
	d_step { h = 0; s = 0; t = 0; g = 0; wanted = 0; woke = 0 };
	atomic {
		LOCKED ->
		if
		:: mem[LOCK] == me + 1 -> mem[LOCK] = DEAD     /* lock-1 */
		:: else                                        /* lock-1 */
		fi
	};
#ifndef BREAK_REAPED_WITHOUT_A_BELL
	evfd = 1;                                              /* reap-2 */
#endif
	goto over;
stop:	skip;
	d_step { h = 0; s = 0; t = 0; g = 0; wanted = 0; woke = 0 };
over:	skip
}

/* Begin in the turn's locked part.  Nothing of the topic was wanted here till
 * now, so the cursor starts at the head. */
inline subscribe() {
#ifndef BREAK_SUBSCRIBE_WITHOUT_LOCK
	lock_taken();
	repair(h, x);
#endif
	atomic { LOCKED -> mem[INTEREST] = 1 };                /* subscribe-1 */
	start = mem[DSEQ];                                     /* subscribe-2 */
	atomic {
#ifndef BREAK_CURSOR_LEFT_BEHIND
		c = mem[HEAD];                                 /* subscribe-3 */
#endif
		start_head = mem[HEAD];                        /* subscribe-3 */
		last = start;
		gapped = 0;
		subscribed = 1
	};
#ifndef BREAK_SUBSCRIBE_WITHOUT_LOCK
	STORE(LOCK, FREE)                                      /* lock-5 */
#endif
}

inline unsubscribe() {
	atomic { LOCKED -> mem[INTEREST] = 0 };                /* unsubscribe-1 */
	subscribed = 0;
	ends++
}

inline deliver(at) {
	if
	:: rt[at] == 0 && rs[at] > last ->                     /* tail-2 */
		assert(rs[at] == last + 1);                    /* tail-2 */
		last = rs[at]                                  /* tail-2 */
	:: else                                                /* tail-2 */
	fi
}

inline tail_turn() {
	h = mem[HEAD];                                         /* tail-1 */
	x = (h > c + BATCH -> c + BATCH : h);
	if
	:: c < x ->
		if
		:: mem[RESERVE] > c + CAP ->                   /* tail-3 */
			c = mem[APPLIED];                      /* tail-4 */
			atomic {
				x = mem[DSEQ];                 /* tail-5 */
				if
				:: x > last -> gapped = gapped + x - last; last = x
				:: else
				fi
			}
		:: else ->                                     /* tail-3 */
			d_step {
				do
				:: c < x -> deliver(c); c++
				:: else -> break
				od
			}
		fi
	:: else
	fi;
	h = 0;
	x = 0
}

#ifdef BREAK_SLEEPING_IS_A_FLAG
#define NEXT(g) (1 - (g))
#else
#define NEXT(g) ((g) + 1)
#endif

/* To subscribe, or to end that. */
#define CLIENT_MAY_ASK (!subscribed || ends < MAXEND)

proctype worker(byte me) {
	byte h, x, value;
	bit behind, asked = 1;

	if :: asked = 0 :: true fi;
turn:
	if
	:: asked && !subscribed -> subscribe()
	:: asked && subscribed -> unsubscribe()
	:: else
	fi;
	asked = 0;
	if
	:: subscribed -> tail_turn()
	:: else -> c = mem[HEAD]                               /* tail-1 */
	fi;
#ifdef BREAK_LOOK_BEFORE_SLEEPING_IS_SAID
	behind = subscribed && mem[HEAD] != c;                 /* sleep-3 */
#endif
	value = NEXT(value);
	STORE(SLEEPING, value);                                /* sleep-1 */
#ifndef BREAK_NO_FENCE_BEFORE_SLEEPING
	FENCE;                                                 /* sleep-2 */
#endif
#if !defined(BREAK_LOOK_BEFORE_SLEEPING_IS_SAID) && !defined(BREAK_NO_LOOK_BEFORE_SLEEPING)
	behind = subscribed && mem[HEAD] != c;                 /* sleep-3 */
#endif
	if
	:: behind -> evfd = 1; behind = 0                      /* sleep-4 */
	:: else
	fi;
#ifdef BREAK_SILENCED_BEFORE_THE_WAIT
	evfd = 0;                                              /* sleep-6 */
#endif
	/* The wait.  A client's socket may end it too. */
end_asleep:
	if
	:: evfd                                                /* sleep-4 */
	:: CLIENT_MAY_ASK -> asked = 1
	fi;
	value = NEXT(value);
	STORE(SLEEPING, value);                                /* sleep-5 */
	evfd = 0;                                              /* sleep-6 */
	if :: CLIENT_MAY_ASK -> asked = 1 :: true fi;
	goto turn
}

proctype monitor() {
	byte p, newest;

	timeout;
	d_step {
		do
		:: p < mem[HEAD] ->                            /* truth */
			if
			:: rt[p] == 0 -> newest = rs[p]        /* truth */
			:: else                                /* truth */
			fi;
			p++
		:: else -> break
		od;
		assert(subscribed);
		assert(mem[LOCK] == FREE || mem[LOCK] == DEAD); /* truth */
#ifdef STOPPED
		assert(woken_for <= start || last >= woken_for);
#else
		assert(newest <= start || last == newest);
#endif
		/* Lapped before it subscribed is nothing to tell. */
		assert(gapped == 0 || mem[RESERVE] - start_head > CAP) /* truth */
	}
}

init {
	atomic {
#ifdef TSO
		run processor(0);
		run processor(1);
		run processor(2);
#endif
		run worker(0);
		run publisher(1);
		run publisher(2);
		run monitor()
	}
}
