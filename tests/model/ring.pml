/* SPDX-License-Identifier: MIT */
/*
 * ring.pml - one robust lock, one log, readers that are lapped.
 *
 * Models broker/ring/ring.c, ring_lock.c, ring_repair.c, ring_bytes.c,
 * ring_tail.c and the lap in worker/delivery/tail.c.  A comment behind a
 * statement names the step of the code that it stands for;
 * scripts/check-steps.sh holds the two together.
 *
 * Shared: lock incons reserve head applied dseq dlast A B
 *
 * Writers publish batches of one or two records, one batch or more under one
 * lock; each may be killed before any of its steps, MAXD times in all, also in
 * the repair of another's death, and is born again.  Positions count records
 * and only grow; a record is at position % CAP.  It has two words, so that a
 * tear can be seen: A says who wrote it, its topic and its number, B who wrote
 * it and where its topic's previous one is.  Memory is sequentially consistent
 * here; litmus.c looks at what the fences are for.  One reader is enough: none
 * writes anything that another could see.
 *
 * Holds: no torn, overwritten or uncommitted record is believed; whoever leaves
 * the lock leaves a directory that is exactly the log's; each number is given
 * once, without a hole; a lapped cursor goes forward; whoever is lapped is told
 * all that it missed; and nobody waits for the lock for ever (pan's own check
 * for invalid end states).
 *
 * Not in here: lengths and padding (until reserve was looked at again a length
 * is used for nothing but finding the next header within bounds, and from a
 * start that was not overtaken nothing behind it was), and what topics.pml has.
 */

#ifndef CAP
#define CAP 3     /* records that the ring holds */
#endif
#ifndef MAXPOS
#define MAXPOS 5  /* records in all */
#endif
#ifndef BATCHES
#define BATCHES 3 /* batches in all */
#endif
#ifndef BATCHMAX
#define BATCHMAX 2
#endif
#ifndef MAXD
#define MAXD 1    /* deaths in all */
#endif
#ifndef FILLED
#define FILLED 0  /* records, one a topic, that are there to begin with: 0 or 2 */
#endif

#ifndef NWRITERS
#define NWRITERS 2
#endif
#define FREE 0
#define DEAD 9    /* its holder has died: the next one is told EOWNERDEAD */

byte lock, reserve, head, applied;
bit incons;               /* not yet marked consistent */
byte dseq[2], dlast[2];   /* directory: number, and position + 1, of the last */
byte A[CAP], B[CAP];      /* the ring's bytes */

#define WORD_A(id, t, s) ((id) * 16 + (t) * 8 + (s))
#define WORD_B(id, last) ((id) * 16 + (last))
#define TOPIC(a) (((a) / 8) % 2)
#define SEQ(a)   ((a) % 8)

/* The truth, known to nobody. */
byte true_a[MAXPOS], true_b[MAXPOS], true_seq[2], true_last[2];
byte deaths, started, done;

/* One step of a writer; before it, it may be killed. */
#define STEP(x) atomic { \
	if \
	:: deaths < MAXD -> deaths++; \
		if :: lock == me -> lock = DEAD :: else fi; \
		goto reborn \
	:: true -> x \
	fi }

inline become_true() {
	i = 0;
	do
	:: i < n ->
		true_a[h + i] = a[i];
		true_b[h + i] = b[i];
		assert(SEQ(a[i]) == true_seq[TOPIC(a[i])] + 1);  /* dense */
		assert(b[i] % 16 == true_last[TOPIC(a[i])]);     /* one chain */
		true_seq[TOPIC(a[i])] = SEQ(a[i]);
		true_last[TOPIC(a[i])] = h + i + 1;
		i++
	:: else -> break
	od;
	i = 0
}

/* The place in the batch where the topic of record k stands at its end. */
#define REACHED(k) (n == 2 && TOPIC(a[0]) == TOPIC(a[1]) -> 1 : k)

inline put_reserve() {
#ifdef BREAK_RESERVE_GOES_BACK
	STEP(reserve = h + n)                                  /* publish-1 */
#else
	STEP(reserve = (h + n > reserve -> h + n : reserve))   /* publish-1 */
#endif
}

inline copy_in() {
	i = 0;
	do
	:: i < n ->
		STEP(A[(h + i) % CAP] = a[i]);   /* publish-2 */
		STEP(B[(h + i) % CAP] = b[i]);   /* publish-2 */
		i++
	:: else -> break
	od
}

inline commit() {
	STEP(become_true(); head = h + n)        /* publish-3 */
}

inline tell_directory() {
	i = 0;
	do
	:: i < n ->
		STEP(dseq[TOPIC(a[i])] = SEQ(a[REACHED(i)]));     /* publish-4 */
		STEP(dlast[TOPIC(a[i])] = h + REACHED(i) + 1);    /* publish-4 */
		i++
	:: else -> break
	od
}

inline put_applied() {
	STEP(applied = h + n)                    /* publish-5 */
}

/* What a batch holds is its writer's choice, the first topic apart. */
inline choose_batch() {
	atomic {
		started++;
		h = head;                        /* lock-2 */
		if
		:: n = 1
		:: head + 2 <= MAXPOS && BATCHMAX > 1 -> n = 2 /* lock-2 */
		fi;
		if
		:: i = 0
		:: started > 1 -> i = 1
		fi;
		a[0] = WORD_A(started * 2, i, dseq[i] + 1);    /* lock-2 */
		b[0] = WORD_B(started * 2, dlast[i]);          /* lock-2 */
		if
		:: n == 1
		:: n == 2 -> /* the same topic */
			a[1] = WORD_A(started * 2 + 1, i, dseq[i] + 2); /* lock-2 */
			b[1] = WORD_B(started * 2 + 1, h + 1)
		:: n == 2 -> /* the other one */
			a[1] = WORD_A(started * 2 + 1, 1 - i, dseq[1 - i] + 1); /* lock-2 */
			b[1] = WORD_B(started * 2 + 1, dlast[1 - i])            /* lock-2 */
		fi;
		i = 0
	}
}

inline repair() {
	p = applied;                                     /* lock-2 */
#ifdef BREAK_REPAIR_SAYS_APPLIED_FIRST
	STEP(applied = head);                            /* repair-2 */
#endif
	do
	:: p < head ->                                   /* lock-2 */
#ifdef BREAK_REPAIR_ADDS
		STEP(dseq[TOPIC(A[p % CAP])] = dseq[TOPIC(A[p % CAP])] + 1); /* repair-1 */
#else
		STEP(dseq[TOPIC(A[p % CAP])] = SEQ(A[p % CAP]));  /* repair-1 */
#endif
		STEP(dlast[TOPIC(A[p % CAP])] = p + 1);           /* repair-1 */
		p++
	:: else -> break
	od;
	STEP(applied = head);                            /* repair-2 */
	p = 0
}

proctype writer(byte me) {
	byte h, n, i, p;
	byte a[2], b[2];

reborn:	skip;
	d_step { h = 0; n = 0; i = 0; p = 0; a[0] = 0; a[1] = 0; b[0] = 0; b[1] = 0 };
	do
	:: atomic { started == BATCHES || deaths > 0 -> break }
	:: atomic {
		started < BATCHES && (lock == FREE || lock == DEAD) ->   /* lock-1 */
		if :: lock == DEAD -> incons = 1 :: else fi;             /* lock-1 */
		lock = me };                                             /* lock-1 */
#ifndef BREAK_NO_REPAIR
	if
	:: applied != head -> repair()                           /* lock-2 */
	:: else
	fi;
#endif
#ifndef BREAK_NOT_MARKED_CONSISTENT
	STEP(incons = 0);                                        /* lock-4 */
#endif
	do
	:: started < BATCHES && head < MAXPOS ->                 /* lock-2 */
		choose_batch();
#ifndef BREAK_RESERVE_AFTER_COPY
		put_reserve();
#endif
#ifdef BREAK_COMMIT_BEFORE_COPY
		commit();
#endif
		copy_in();
#ifdef BREAK_RESERVE_AFTER_COPY
		put_reserve();
#endif
#if !defined(BREAK_COMMIT_BEFORE_COPY) && !defined(BREAK_DIRECTORY_BEFORE_COMMIT)
		commit();
#endif
#ifdef BREAK_APPLIED_BEFORE_DIRECTORY
		put_applied();
#endif
		tell_directory();
#ifdef BREAK_DIRECTORY_BEFORE_COMMIT
		commit();
#endif
		put_applied();
		d_step { h = 0; n = 0; i = 0; a[0] = 0; a[1] = 0; b[0] = 0; b[1] = 0 }
	:: true -> break
	od;
	STEP(assert(incons == 0);                                /* lock-5 */
		assert(applied == head);                         /* lock-5 */
		assert(dseq[0] == true_seq[0] && dseq[1] == true_seq[1]);     /* lock-5 */
		assert(dlast[0] == true_last[0] && dlast[1] == true_last[1]); /* lock-5 */
		lock = FREE)                                     /* lock-5 */
	od;
	done++
}

inline believe(k) {
	assert(ca[k] == true_a[c + k] && cb[k] == true_b[c + k]);
	x = TOPIC(ca[k]);
	if
	:: SEQ(ca[k]) == last[x] + 1 -> last[x] = SEQ(ca[k])
	:: SEQ(ca[k]) <= last[x] -> assert(SEQ(ca[k]) <= told[x]) /* skipped, not doubled */
	:: else -> assert(false)           /* a hole that nobody was told of */
	fi
}

inline tell_gap(t) {
	atomic {
		x = dseq[t];                             /* tail-5 */
		if :: x > last[t] -> last[t] = x; told[t] = x :: else fi
	}
}

inline go_on_at(where) {
	atomic {
		assert(where > c);               /* a cursor never goes back */
		c = where
	}
}

proctype reader() {
	byte c, m, r, x;
	byte last[2], told[2], ca[2], cb[2];

	do
	:: atomic {
		head > c ->                              /* tail-1 */
		if
		:: m = 1                                 /* its room is used up */
		:: head > c + 1 -> m = 2                 /* tail-1 */
		fi };
#ifdef BREAK_LOOK_BEFORE_COPY
		r = reserve;                             /* tail-3 */
#endif
		ca[0] = A[c % CAP];                      /* tail-2 */
		cb[0] = B[c % CAP];                      /* tail-2 */
		if
		:: m == 2 ->
			ca[1] = A[(c + 1) % CAP];        /* tail-2 */
			cb[1] = B[(c + 1) % CAP]         /* tail-2 */
		:: else
		fi;
#ifndef BREAK_LOOK_BEFORE_COPY
		r = reserve;                             /* tail-3 */
#endif
		if
		:: r > c + CAP ->
#ifdef BREAK_LAPPED_GOES_ON_AT_HEAD
			go_on_at(head);                  /* tail-4 */
#endif
#ifdef BREAK_LAPPED_ASKS_BEFORE_APPLIED
			tell_gap(0);
			tell_gap(1);
#endif
#ifndef BREAK_LAPPED_GOES_ON_AT_HEAD
			go_on_at(applied);               /* tail-4 */
#endif
#ifndef BREAK_LAPPED_ASKS_BEFORE_APPLIED
			tell_gap(0);
			tell_gap(1);
#endif
		:: else ->
			d_step {
				assert(c + m <= r);      /* head is at or below reserve */
				believe(0);
				if :: m == 2 -> believe(1) :: else fi;
				c = c + m
			}
		fi;
		d_step { ca[0] = 0; ca[1] = 0; cb[0] = 0; cb[1] = 0; r = 0; m = 0; x = 0 }
	:: atomic { done == NWRITERS && head == c -> break }     /* tail-1 */
	od;
	/* At rest: all that was ever committed was delivered or told. */
	assert(last[0] == true_seq[0] && last[1] == true_seq[1])
}

init {
	atomic {
#if FILLED == 2
		A[0] = WORD_A(0, 0, 1);
		B[0] = WORD_B(0, 0);
		A[1] = WORD_A(1, 1, 1);
		B[1] = WORD_B(1, 0);
		true_a[0] = A[0]; true_b[0] = B[0]; true_a[1] = A[1]; true_b[1] = B[1];
		true_seq[0] = 1; true_seq[1] = 1; true_last[0] = 1; true_last[1] = 2;
		dseq[0] = 1; dseq[1] = 1; dlast[0] = 1; dlast[1] = 2;
		reserve = 2;
		head = 2;
		applied = 2;
#endif
		run writer(1);
#if NWRITERS > 1
		run writer(2);
#endif
		run reader()
	}
}
