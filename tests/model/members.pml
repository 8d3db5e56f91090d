/* SPDX-License-Identifier: MIT */
/*
 * members.pml - who is in a topic, told exactly once, by who may die.
 *
 * Models broker/ring/members.c, member_table.c and member_repair.c: members
 * arrive and leave, and whoever takes the lock of a dead holder finishes or
 * undoes what it had begun.  A comment behind a statement names the step of the
 * code that it stands for; scripts/check-steps.sh holds the two together.
 *
 * Shared: changing state count linked leaving pending kind index
 *
 * All of it is done under the lock, so there is one process here, which is
 * whichever worker has the lock.  It may be killed before any step (MAXD times
 * in all, also in the repair of another's death), and then its connections are
 * gone; the next holder may be the other worker, or its own successor, who
 * clears what it had left before anything else.  A worker may also be killed
 * while it waits for nothing.  There is one user, with connections to both
 * workers, and somebody who watches; the table has two places, so that the user
 * could be there twice.  A record is one commit here: what may be torn in the
 * ring is in ring.pml.
 *
 * Holds: what was told is a join and a leave in turn; nobody is said to have
 * left who has a connection; whoever has the lock, repaired, finds exactly one
 * member if the last that was told is a join, and none otherwise, in all lists
 * that it belongs to and in no other; and in the end the user is there exactly
 * if it has a connection.
 *
 * Not in here: texts and free places, which the repair counts anew, and times.
 */

#ifndef ACTIONS
#define ACTIONS 4 /* of workers, in all */
#endif
#ifndef MAXD
#define MAXD 2    /* deaths */
#endif

#define PLACES 2
#define NONE 9

#define FREE 0
#define MADE 1
#define PRESENT 2

#define JOIN 1
#define LEAVE 2

bit changing;                   /* something is half-done */
byte state[PLACES];
byte count[4];                  /* [place * 2 + worker]: connections */
bit linked[PLACES];             /* in the topic's list and in the bucket */
bit leaving[PLACES];            /* among those without a connection */
bit pending;                    /* head is past applied, by this record: */
byte kind, index;

/* The truth. */
byte held[2];                   /* connections of the user */
bit unclear[2];                 /* the worker has died, and left something */
bit there;                      /* by what was told */
byte actions, deaths;

#define COUNT(i, w) count[(i) * 2 + (w)]
#define GONE(i) (COUNT(i, 0) == 0 && COUNT(i, 1) == 0)

#define DIE(w) held[w] = 0; unclear[w] = 1

#define STEP(x) atomic { \
	if \
	:: deaths < MAXD -> deaths++; DIE(me); goto reborn \
	:: true -> x \
	fi }

/* What the next holder of the lock finds. */
inline check() {
	d_step {
		assert(changing == 0 && pending == 0);          /* lock-3 */
		i = 0; n = 0;
		do
		:: i < PLACES ->
			assert(state[i] != MADE);               /* lock-3 */
			assert(linked[i] == (state[i] == PRESENT));     /* lock-3 */
			assert(!leaving[i] || linked[i]);       /* lock-3 */
			assert(state[i] != PRESENT || !GONE(i) || leaving[i]);  /* lock-3 */
			assert(state[i] != PRESENT || unclear[0] || COUNT(i, 0) == held[0]); /* lock-3 */
			assert(state[i] != PRESENT || unclear[1] || COUNT(i, 1) == held[1]); /* lock-3 */
			n = n + (state[i] == PRESENT);          /* lock-3 */
			i++
		:: else -> break
		od;
		assert(n == there);
		i = 0; n = 0
	}
}

inline apply() {
	STEP(
		if
		:: kind == JOIN && state[index] == MADE -> state[index] = PRESENT  /* publish-4 */
		:: kind == LEAVE && state[index] == PRESENT -> state[index] = FREE /* publish-4 */
		:: else                                         /* publish-4 */
		fi)
}

/* A record of the member at m; with it the member has come, or left. */
inline publish(its_kind) {
#ifdef BREAK_STATE_BEFORE_RECORD
	STEP(state[m] = (its_kind == JOIN -> PRESENT : FREE));  /* publish-4 */
#endif
	STEP(kind = its_kind; index = m; pending = 1;           /* publish-3 */
		assert(there == (its_kind == LEAVE));
		assert(its_kind == JOIN || held[0] + held[1] == 0);
		there = (its_kind == JOIN));
	apply();
	STEP(pending = 0)                                       /* publish-5 */
}


/* The user is not there: it comes, to the first place that is free. */
inline make() {
	m = (state[0] == FREE && !linked[0] -> 0 : 1);          /* arrive-2 */
	assert(state[m] == FREE && !linked[m]);                 /* arrive-2 */
#ifndef BREAK_CHANGING_SAID_LATE
	STEP(changing = 1);                                     /* arrive-1 */
#endif
	STEP(COUNT(m, me) = 1; COUNT(m, 1 - me) = 0);           /* arrive-2 */
	STEP(state[m] = MADE);                                  /* arrive-2 */
#ifdef BREAK_CHANGING_SAID_LATE
	STEP(changing = 1);                                     /* arrive-1 */
#endif
	publish(JOIN);
#ifdef BREAK_ARRIVED_SAID_EARLY
	STEP(changing = 0);                                     /* arrive-4 */
#endif
	STEP(linked[m] = 1);                                    /* arrive-3 */
	STEP(held[me] = 1; changing = 0)                        /* arrive-4 */
}

/* It is there, at m: a connection more. */
inline add() {
	STEP(COUNT(m, me) = COUNT(m, me) + 1; held[me] = held[me] + 1); /* arrive-5 */
	if
	:: leaving[m] ->                                        /* arrive-5 */
		STEP(changing = 1);                             /* arrive-5 */
		STEP(leaving[m] = 0);                           /* arrive-5 */
		STEP(changing = 0)                              /* arrive-5 */
	:: else                                                 /* arrive-5 */
	fi
}

/* The member at m has no connection, and is told to have left. */
inline leave() {
	publish(LEAVE);
	STEP(linked[m] = 0);                                    /* leave-4 */
	STEP(leaving[m] = 0);                                   /* leave-4 */
	STEP(state[m] = FREE)                                   /* leave-4 */
}

/* A connection less. */
inline depart() {
#ifndef BREAK_DEPARTURE_SAID_LATE
	STEP(changing = 1);                                     /* leave-1 */
#endif
	STEP(COUNT(m, me) = COUNT(m, me) - 1; held[me] = held[me] - 1); /* leave-2 */
#ifdef BREAK_DEPARTURE_SAID_LATE
	STEP(changing = 1);                                     /* leave-1 */
#endif
	if
	:: GONE(m) -> leave()                                   /* leave-3 */
	:: GONE(m) -> STEP(leaving[m] = 1)                      /* leave-3 */
	:: !GONE(m)                                             /* leave-3 */
	fi;
	STEP(changing = 0)                                      /* leave-5 */
}

/* Its time has come, unless it has come back. */
inline leave_due() {
	STEP(changing = 1);                                     /* leave-6 */
	if
	:: GONE(m) -> leave()                                   /* leave-6 */
	:: !GONE(m) -> STEP(leaving[m] = 0)                     /* leave-6 */
	fi;
	STEP(changing = 0)                                      /* leave-6 */
}

/* What the dead predecessor of this worker had is gone. */
inline clear() {
#ifndef BREAK_CLEARING_SAID_BY_NOBODY
	STEP(changing = 1);                                     /* clear-1 */
#endif
	m = 0;
	do
	:: m < PLACES && state[m] == PRESENT && COUNT(m, me) > 0 ->     /* clear-2 */
		STEP(COUNT(m, me) = 0);                         /* clear-2 */
		if
		:: GONE(m) -> STEP(leaving[m] = 1)              /* clear-3 */
		:: else                                         /* clear-3 */
		fi;
		m++
	:: m < PLACES && !(state[m] == PRESENT && COUNT(m, me) > 0) ->  /* clear-2 */
		m++
	:: m == PLACES -> break
	od;
	m = NONE;
	STEP(changing = 0; unclear[me] = 0)                     /* clear-4 */
}

/* Of the record that a dead holder had committed, and of the lists. */
inline repair() {
	if
	:: pending ->                                           /* repair-1 */
#ifndef BREAK_NO_REPLAY
		apply();
#endif
		STEP(pending = 0)                               /* repair-1 */
	:: else                                                 /* repair-1 */
	fi;
	if
	:: changing ->                                          /* rebuild-1 */
#ifdef BREAK_REBUILT_SAID_EARLY
		STEP(changing = 0);                             /* rebuild-4 */
#endif
		STEP(linked[0] = 0; leaving[0] = 0);            /* rebuild-1 */
		STEP(linked[1] = 0; leaving[1] = 0);            /* rebuild-1 */
		m = 0;
		do
		:: m < PLACES && state[m] == PRESENT ->         /* rebuild-2 */
			STEP(linked[m] = 1);                    /* rebuild-3 */
			if
			:: GONE(m) -> STEP(leaving[m] = 1)      /* rebuild-3 */
			:: else                                 /* rebuild-3 */
			fi;
			m++
		:: m < PLACES && state[m] != PRESENT ->         /* rebuild-2 */
			STEP(state[m] = FREE);                  /* rebuild-2 */
			m++
		:: m == PLACES -> break
		od;
		m = NONE;
		STEP(changing = 0)                              /* rebuild-4 */
	:: else                                                 /* rebuild-1 */
	fi
}

/* Where the user is by the lists, or NONE. */
#define FOUND (linked[0] -> 0 : (linked[1] -> 1 : NONE))

proctype holder() {
	byte me, m, i, n;

reborn:	skip;
	d_step { i = 0; n = 0; m = NONE };
	if :: me = 0 :: me = 1 fi;
	repair();
	check();
	if
	:: unclear[me] -> clear(); check()
	:: else
	fi;
	do
	:: actions < ACTIONS && !unclear[me] ->
		actions++;
		m = FOUND;                                      /* any */
		if
		:: m == NONE -> make()
		:: m != NONE && held[me] < 2 -> add()
		:: m != NONE && held[me] > 0 -> depart()
		:: m != NONE && leaving[m] -> leave_due()       /* leave-6 */
		:: true
		fi;
		m = NONE;
		check();
		if :: me = 0 :: me = 1 fi;
		if
		:: unclear[me] -> clear(); check()
		:: else
		fi
	:: deaths < MAXD && held[1 - me] > 0 ->
		atomic { deaths++; DIE(1 - me) }
	:: actions == ACTIONS -> break
	od;
	/* In the end all is cleared, and who has to leave does. */
	do
	:: unclear[0] -> me = 0; clear()
	:: unclear[1] -> me = 1; clear()
	:: !unclear[0] && !unclear[1] && (leaving[0] || leaving[1]) -> /* leave-6 */
		m = (leaving[0] -> 0 : 1);                      /* leave-6 */
		leave_due();
		m = NONE
	:: else -> break                                        /* any */
	od;
	check();
	assert(there == (held[0] + held[1] > 0))
}

init {
	run holder()
}
