/* SPDX-License-Identifier: MIT */
/*
 * topics.pml - the directory's slots, made and made again, by who may die.
 *
 * Models topics_open() and topics_repair() in broker/ring/topics.c, and
 * commit_publish() in worker/requests/commit.c, which may have gathered
 * messages for a slot when it opens another.  A comment behind a statement
 * names the step of the code that it stands for; scripts/check-steps.sh holds
 * the two together.
 *
 * Shared: making used floor state base seq name next bucket
 *
 * All of it is done under the lock, so there is one process here: it gathers
 * messages, opens topics and publishes; it may be killed before any step, also
 * in the repair of its own death (MAXD times), and is born again as the next
 * holder of the lock.  There are fewer slots than names, and no subscribers:
 * any slot may be the one that is recycled.  One bucket takes all names.
 *
 * Holds: whoever has the lock, repaired, finds every live slot in the index
 * once, no other, no loop, no name twice, and `making' 0; no number is given
 * twice in a slot, whatever topic it is; every number that was given in an
 * earlier life of a slot is at or below `base'; and a message gathered for a
 * topic is not published in another.
 */

#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef NAMES
#define NAMES 3   /* 0, 1 and the last are used */
#endif
#ifndef OPENS
#define OPENS 4   /* topics opened in all */
#endif
#ifndef MAXD
#define MAXD 2    /* deaths */
#endif

#define UNUSED 9  /* no slot; also of a name */
#define LIVE 1

byte making, used, floor, bucket;
byte state[SLOTS], base[SLOTS], seq[SLOTS], name[SLOTS], next[SLOTS];

/* The truth. */
byte given[SLOTS];      /* highest number ever given in the slot */
byte lives[SLOTS];      /* highest number of its earlier lives */
byte opened, deaths;

#define STEP(x) atomic { \
	if \
	:: deaths < MAXD -> deaths++; goto reborn \
	:: true -> x \
	fi }

/* What the next holder of the lock must find. */
inline check() {
	d_step {
		assert(making == 0);                            /* lock-3 */
		at = bucket;                                    /* lock-3 */
		i = 0;
		do
		:: at != 0 ->
			assert(i < SLOTS && state[at - 1] == LIVE);  /* lock-3 */
			i++;
			at = next[at - 1]                       /* lock-3 */
		:: else -> break
		od;
		slot = 0;
		do
		:: slot < SLOTS ->
			if
			:: slot < used && state[slot] == LIVE ->    /* lock-3 */
				i--;
				assert(lives[slot] <= base[slot] && base[slot] <= seq[slot]) /* lock-3 */
			:: else                                 /* lock-3 */
			fi;
			assert(given[slot] <= seq[slot] || given[slot] <= floor); /* lock-3 */
			slot++
		:: else -> break
		od;
		assert(i == 0);
		assert(SLOTS < 2 || state[0] != LIVE || state[1] != LIVE || /* lock-3 */
			name[0] != name[1]);                    /* lock-3 */
		i = 0; slot = 0; at = 0
	}
}

inline take_out(s) {
	if
	:: bucket == s + 1 -> STEP(bucket = next[s])            /* make-3 */
	:: else ->                                              /* make-3 */
		at = bucket;                                    /* make-3 */
		do
		:: at != 0 && next[at - 1] == s + 1 ->          /* make-3 */
			STEP(next[at - 1] = next[s]);           /* make-3 */
			break
		:: at != 0 && next[at - 1] != s + 1 -> at = next[at - 1]  /* make-3 */
		:: at == 0 -> break
		od
	fi;
	at = 0
}

inline raise_floor(s) {
	STEP(floor = (seq[s] > floor -> seq[s] : floor))        /* make-2 */
}

inline put_numbers(s) {
	STEP(base[s] = floor; lives[s] = given[s]);             /* make-5 */
	STEP(seq[s] = floor)                                    /* make-5 */
}

/* End the slot's life, if it had one, and begin another. */
inline make(s, its_name) {
#ifndef BREAK_MAKING_SAID_LATE
	STEP(making = s + 1);                                   /* make-1 */
#endif
	if
	:: s == used -> STEP(used++)                            /* make-2 */
	:: else ->                                              /* make-2 */
#ifdef BREAK_FLOOR_AFTER_NUMBERS
		put_numbers(s);
#endif
		raise_floor(s);
		if
		:: state[s] == LIVE -> take_out(s)              /* make-3 */
		:: else                                         /* make-3 */
		fi;
		STEP(state[s] = 0)                              /* make-4 */
	fi;
#ifdef BREAK_MAKING_SAID_LATE
	STEP(making = s + 1);                                   /* make-1 */
#endif
#ifndef BREAK_FLOOR_AFTER_NUMBERS
	put_numbers(s);
#endif
	STEP(name[s] = its_name);                               /* make-5 */
	STEP(state[s] = LIVE);                                  /* make-6 */
#ifdef BREAK_MADE_SAID_EARLY
	STEP(making = 0);                                       /* make-8 */
#endif
	STEP(next[s] = bucket);                                 /* make-7 */
	STEP(bucket = s + 1);                                   /* make-7 */
#ifndef BREAK_MADE_SAID_EARLY
	STEP(making = 0)                                        /* make-8 */
#endif
}

inline repair() {
	if
	:: making != 0 && making <= used ->                     /* mend-1 */
		STEP(floor = (seq[making - 1] > floor -> seq[making - 1] : floor)); /* mend-1 */
		STEP(state[making - 1] = 0)                     /* mend-2 */
	:: else                                                 /* mend-1 */
	fi;
	if
	:: making != 0 ->                                       /* mend-3 */
#ifdef BREAK_MENDED_SAID_EARLY
		STEP(making = 0);                               /* mend-5 */
#endif
#ifndef BREAK_INDEX_NOT_EMPTIED
		STEP(bucket = 0);                               /* mend-3 */
#endif
		do
		:: i < used && state[i] == LIVE ->              /* mend-4 */
			STEP(next[i] = bucket);                 /* mend-4 */
			STEP(bucket = i + 1);                   /* mend-4 */
			i++
		:: i < used && state[i] != LIVE -> i++          /* mend-4 */
		:: i >= used -> break                           /* mend-4 */
		od;
		i = 0;
		STEP(making = 0)                                /* mend-5 */
	:: else                                                 /* mend-3 */
	fi
}

/* Where the name is, or UNUSED. */
inline find(its_name) {
	d_step {
		slot = UNUSED;
		at = bucket;                                    /* open-1 */
		i = 0;
		do
		:: at != 0 && slot == UNUSED ->
			assert(i < SLOTS);
			i++;
			if
			:: name[at - 1] == its_name -> slot = at - 1    /* open-1 */
			:: else                                 /* open-1 */
			fi;
			at = next[at - 1]                       /* open-1 */
		:: else -> break
		od;
		at = 0; i = 0
	}
}

/* The one message that may be gathered is put into the ring. */
inline publish_gathered() {
	if
	:: gathered != UNUSED ->
		STEP(assert(state[gathered] == LIVE && name[gathered] == gathered_name); /* publish-3 */
			assert(seq[gathered] + 1 > given[gathered]);    /* publish-3 */
			seq[gathered] = seq[gathered] + 1;      /* publish-4 */
			given[gathered] = seq[gathered]);       /* publish-4 */
		gathered = UNUSED
	:: else
	fi
}

proctype holder() {
	byte slot, at, i, want, gathered, gathered_name;

reborn:	skip;
	d_step { slot = 0; at = 0; i = 0; want = 0; gathered = UNUSED; gathered_name = 0 };
#ifndef BREAK_NO_REPAIR_OF_THE_INDEX
	repair();                                               /* lock-3 */
#endif
	check();
	do
	:: opened < OPENS ->
		opened++;
		if :: want = 0 :: want = 1 :: want = NAMES - 1 fi;
		find(want);
		if
		:: slot == UNUSED ->
#ifndef BREAK_OPENED_BEFORE_GATHERED_IS_PUBLISHED
			publish_gathered();                     /* open-2 */
#endif
			if
			:: used < SLOTS -> slot = used          /* open-3 */
			:: used == SLOTS -> slot = 0            /* open-3 */
			:: used == SLOTS -> slot = SLOTS - 1    /* open-3 */
			fi;
			make(slot, want)
		:: else
		fi;
		publish_gathered();
		gathered = slot;
		gathered_name = want;
		slot = 0;
		check();
		if :: publish_gathered() :: true fi
	:: else -> break
	od;
	publish_gathered();
	check()
}

init {
	run holder()
}
