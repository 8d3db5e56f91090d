/* SPDX-License-Identifier: MIT */
/*
 * resume.pml - the seam between what is replayed and what comes live.
 *
 * Models commit_subscribe() in worker/requests/commit.c,
 * worker/requests/resume.c, worker/delivery/replay.c, broker/ring/chain.c,
 * ring_follow() and ring_fetch() in broker/ring/ring_tail.c,
 * worker/delivery/tail.c with its lap.  A comment behind a statement names the
 * step of the code that it stands for; scripts/check-steps.sh holds the two
 * together.
 *
 * Shared: lock reserve head applied dseq dlast A B
 *
 * A publisher, which may be killed before any step (MAXD; its successor
 * repairs), appends to topic 0 and to topic 1, which is noise that laps the
 * ring.  A worker tails, with or without another subscriber of topic 0, with or
 * without one of another topic.  At whatever turn it likes a client comes that
 * holds any number that was ever committed, and resumes.
 *
 * Holds: each number above the client's comes to it once and in order, as a
 * message or inside a gap that it is told; and at rest all have come.
 *
 * Not in here: the stride of broker/ring/chain.c, which reads again what it
 * does not remember.  All that it remembers is positions, and every copy from
 * one is looked at by itself.
 */

#ifndef CAP
#define CAP 2     /* records that the ring holds */
#endif
#ifndef MAXM
#define MAXM 4    /* messages in all */
#endif
#ifndef MAXD
#define MAXD 0    /* deaths of the publisher */
#endif

#define FREE 0
#define DEAD 9
#define NOISE 100

byte lock, reserve, head, applied;
byte dseq, dlast;       /* the directory: topic 0's last number, its position + 1 */
byte A[CAP], B[CAP];    /* the ring: number or NOISE; position + 1 of the previous */

/* The truth. */
byte true_a[MAXM], true_b[MAXM], true_seq;
byte messages, deaths;
bit no_more;
byte got;               /* the client: the highest number it knows of */

#define STEP(x) atomic { \
	if \
	:: deaths < MAXD -> deaths++; \
		if :: lock == 1 -> lock = DEAD :: else fi; \
		goto reborn \
	:: true -> x \
	fi }

inline repair(at) {
	at = applied;                                       /* lock-2 */
	do
	:: at < head ->                                     /* lock-2 */
		if
		:: A[at % CAP] != NOISE ->                  /* repair-1 */
			dseq = A[at % CAP];                 /* repair-1 */
			dlast = at + 1                      /* repair-1 */
		:: else                                     /* repair-1 */
		fi;
		at++
	:: else -> break
	od;
	applied = head;                                     /* repair-2 */
	at = 0
}

proctype publisher() {
	byte h, a, b;

reborn:	skip;
	d_step { h = 0; a = 0; b = 0 };
	do
	:: messages < MAXM ->
		atomic {
			lock == FREE || lock == DEAD ->     /* lock-1 */
			lock = 1 };                         /* lock-1 */
		repair(h);
		if
		:: messages < MAXM ->
			atomic {
				messages++;
				h = head;                   /* lock-2 */
				if
				:: a = dseq + 1; b = dlast  /* lock-2 */
				:: a = NOISE; b = 0
				fi
			};
			STEP(reserve = (h + 1 > reserve -> h + 1 : reserve));  /* publish-1 */
			STEP(A[h % CAP] = a);               /* publish-2 */
			STEP(B[h % CAP] = b);               /* publish-2 */
			STEP(head = h + 1;                  /* publish-3 */
				true_a[h] = a;
				true_b[h] = b;
				if :: a != NOISE -> true_seq = a :: else fi);
			if
			:: a != NOISE ->
				STEP(dseq = a);             /* publish-4 */
				STEP(dlast = h + 1)         /* publish-4 */
			:: else
			fi;
			STEP(applied = h + 1)               /* publish-5 */
		:: else
		fi;
		STEP(lock = FREE);                          /* lock-5 */
		d_step { h = 0; a = 0; b = 0 }
	:: atomic { messages == MAXM -> break }
	od;
	no_more = 1
}

/* What the client itself sees to. */
inline client_message(number) {
	assert(number == got + 1);
	got = number
}

inline client_gap(from, to) {
	assert(from == got + 1 && to >= from);
	got = to
}

/* Copy a record, only its header or all of it: believed if it has not been
 * overwritten. */
#define COPIED ok = (r <= pos + CAP); \
	assert(!ok || (a == true_a[pos] && b == true_b[pos]))

inline follow() {
#ifdef BREAK_FOLLOW_LOOKS_BEFORE_COPY
	r = reserve;                                        /* follow-2 */
#endif
	a = A[pos % CAP];                                   /* follow-1 */
	b = B[pos % CAP];                                   /* follow-1 */
#ifndef BREAK_FOLLOW_LOOKS_BEFORE_COPY
	r = reserve;                                        /* follow-2 */
#endif
	d_step { COPIED; r = 0 }
}

inline fetch() {
#ifdef BREAK_FETCH_LOOKS_BEFORE_COPY
	r = reserve;                                        /* fetch-2 */
#endif
	a = A[pos % CAP];                                   /* fetch-1 */
	b = B[pos % CAP];                                   /* fetch-1 */
#ifndef BREAK_FETCH_LOOKS_BEFORE_COPY
	r = reserve;                                        /* fetch-2 */
#endif
	d_step { COPIED; r = 0 }
}

/* Walk back from number chain_seq at position `from' - 1 to number first. */
inline walk(from, first) {
	d_step { pos = from; low = chain_seq + 1 };
	do
	:: pos != 0 && low > first && low > 1 ->
		pos--;
		follow();
		if
		:: ok ->
			/* Else what is still there would be told as a gap. */
			assert(a == low - 1);
			d_step { low--; at[low] = pos; pos = b }
		:: else -> break
		fi
	:: else -> break
	od;
	atomic { pos = 0; a = 0; b = 0; ok = 0 }
}

#define LIVE      1
#define REPLAYING 2

/* The client's request, in the locked part of the turn; then what it is told. */
inline subscribe() {
	got = 0;
	do
	:: got < true_seq -> got++      /* any number that was ever committed */
	:: break
	od;
#ifndef BREAK_LOOK_WITHOUT_LOCK
	atomic { lock == FREE || lock == DEAD -> lock = 2 };  /* lock-1 */
	repair(pos);
#endif
	chain_seq = dseq;                                   /* subscribe-2 */
	x = dlast;                                          /* subscribe-2 */
	if
	:: !known ->
		d_step { known = 1; topic_seq = chain_seq; topic_pos = x };
		if
		:: !busy -> c = head                        /* subscribe-3 */
		:: else
		fi
	:: else
	fi;
#ifndef BREAK_LOOK_WITHOUT_LOCK
	lock = FREE;                                        /* lock-5 */
#endif
	assert(got <= chain_seq);
	walk(x, got + 1);                                   /* resume-1 */
	d_step {
		x = 0;
		if
		:: low > got + 1 ->
#ifndef BREAK_EXPIRED_UNTOLD
			client_gap(got + 1, low - 1)        /* resume-2 */
#endif
		:: else
		fi;
		if
		:: low <= chain_seq -> state = REPLAYING; next = low
		:: else -> state = LIVE; seen = chain_seq
		fi
	}
}

/* One record of this turn's batch. */
inline deliver(number, where) {
	if
	:: known && number != NOISE && number > topic_seq ->    /* tail-6 */
		assert(number == topic_seq + 1);
		topic_seq = number;
		topic_pos = where + 1;
		if
#ifdef BREAK_LIVE_WITHOUT_FILTER
		:: state == LIVE ->
#else
		:: state == LIVE && number > seen ->        /* tail-7 */
#endif
			client_message(number);
			seen = number
		:: else
		fi
	:: else
	fi
}

/* Lapped: all that is known here is what the directory says. */
inline lapped() {
	c = applied;                                        /* tail-4 */
	atomic {
		x = dseq;                                   /* tail-5 */
		if
		:: known ->
			topic_seq = x;
			topic_pos = 0;
			if
			:: state == LIVE && x > seen -> client_gap(seen + 1, x); seen = x
			:: state == REPLAYING ->
				assert(next <= x + 1);
				if :: next <= x -> client_gap(next, x) :: else fi;
				state = LIVE;
				seen = x;
				d_step { next = 0; chain_seq = 0; low = 0;
					at[1] = 0; at[2] = 0; at[3] = 0; at[4] = 0 }
			:: else
			fi
		:: else
		fi;
		x = 0
	}
}

inline tail_turn() {
	if
	:: !known && !busy -> c = head                      /* tail-1 */
	:: else ->
		if
		:: head > c ->                              /* tail-1 */
			pos = c;
			a = A[pos % CAP];                   /* tail-2 */
			b = B[pos % CAP];                   /* tail-2 */
			r = reserve;                        /* tail-3 */
			d_step { COPIED; r = 0; pos = 0; b = 0 };
			if
			:: ok -> d_step { deliver(a, c); c++; a = 0; ok = 0 }
			:: else -> a = 0; lapped()
			fi
		:: else                                     /* tail-1 */
		fi
	fi
}

/* The binary search for the last number that is gone. */
inline find_last_gone() {
	d_step { gone = next; left = chain_seq + 1 };
	do
	:: left - gone > 1 ->
		x = gone + (left - gone) / 2;
		pos = at[x];
		fetch();
		if
		:: ok -> left = x
		:: else -> gone = x
		fi
	:: else -> break
	od;
	atomic { client_gap(next, gone); next = gone + 1;
		gone = 0; left = 0; x = 0; pos = 0; a = 0; b = 0; ok = 0 }
}

/* One number, or the gap in its place. */
inline replay_put() {
	if
	:: next < low -> d_step { client_gap(next, low - 1); next = low }  /* resume-2 */
	:: else ->
		pos = at[next];
		fetch();
		if
		:: ok ->
			assert(a == next);
			d_step { client_message(next); next++; pos = 0; a = 0; b = 0; ok = 0 }
		:: else -> find_last_gone()
		fi
	fi
}

inline replay_live() {
	d_step {
		state = LIVE;                               /* resume-4 */
		seen = next - 1;
		next = 0; chain_seq = 0; low = 0;
		at[1] = 0; at[2] = 0; at[3] = 0; at[4] = 0
	}
}

/* A piece of what is to be replayed; how much of it the socket decides. */
inline replay_turn() {
	do
	:: state == REPLAYING && next <= chain_seq -> replay_put()
#ifdef BREAK_LIVE_AFTER_FIRST_CHAIN
	:: state == REPLAYING && next > chain_seq -> replay_live()
#else
	:: state == REPLAYING && next > chain_seq && topic_seq < next -> replay_live()
	:: state == REPLAYING && next > chain_seq && topic_seq >= next ->
		chain_seq = topic_seq;                      /* resume-3 */
#ifdef BREAK_NEXT_CHAIN_FROM_DIRECTORY
		x = dlast;                                  /* resume-3 */
		walk(x, next);
		x = 0
#else
		walk(topic_pos, next)                       /* resume-3 */
#endif
#endif
	:: true -> break
	od
}

proctype worker() {
	byte c;                            /* the tail's cursor */
	byte topic_seq, topic_pos;         /* what was tailed of topic 0 */
	byte state, seen;                  /* the client's subscription */
	byte next, low, chain_seq, at[6];  /* its replay */
	byte a, b, r, x, pos, gone, left;
	bit ok, known, busy;

	/* Another of its clients may have topic 0, or another topic. */
	if
	:: known = 1; busy = 1
	:: busy = 1
	:: true
	fi;
	do
	:: atomic { no_more && state == LIVE && c == head -> break }  /* tail-1 */
	:: else ->
		if
		:: state == 0 -> subscribe()
		:: true
		fi;
		tail_turn();
		replay_turn()
	od;
	assert(got == true_seq)
}

init {
	atomic {
		run publisher();
		run worker()
	}
}
