/* SPDX-License-Identifier: MIT */
/*
 * cluster.pml - one log, and the rings of several hosts that are copies of it.
 *
 * Models broker/cluster/sender.c and ingest.c, broker/ring/ring_marks.c,
 * ring_cluster.c and ring_repair.c as far as records of a cluster go, and of
 * broker/bridge/ what serve.c, receive.c and join.c do with them.  A comment
 * behind a statement names the step of the code that it stands for;
 * scripts/check-steps.sh holds the two together.
 *
 * Shared: lock wrote applied out outbox un un_place un_hash noting last hash returned pos joined self
 *
 * On each host a worker accepts records, one or two under one lock, and a bridge
 * sends them and takes what the log has.  On their way batches may be lost
 * (LOSSES); a connection may be lost (RECONNECTS), with what was on its way or
 * before that arrives.  Of host 0 the worker and the bridge may be killed before
 * any step (MAXD): the words above survive, what the bridge had sent arrives
 * late or never.  Its ring may have no place for a record (DROPS), and may be
 * given up and begun anew (RENEWS).  With JOINER the last host's ring begins in
 * the midst of the log.  Host 1 has read what there is before more comes, unless
 * it LAGS.  With EXPIRES the log forgets its beginning once.
 *
 * A place is a message's number and a record's index in it; ALL is behind the
 * last.  The hash is the set of the messages that counted.
 *
 * A ring that is given up is set aside with what it had accepted, and the bridge
 * sends on, from its origin and with its numbers, what the log does not have.
 *
 * Holds: all hosts list the same records at the same places; those of an origin
 * are 1, 2, 3, ...; no record is gathered twice by a bridge; nobody finds another
 * hash than its own at a place; what was answered is in the log, whatever became
 * of its ring; and at rest all that was accepted, by a ring that was given up, too,
 * is listed by all hosts, which are in one state, and what is of no such ring is
 * answered.
 *
 * Not in here: what other hosts have confirmed, so that records wait on which have
 * come back, and that a ring set aside is let go; a log that is begun anew and knows
 * nothing of that ring; that a ring overwrites what waits (the sender notices, and
 * the ring is given up); doorbells (wake.pml); origins that are forgotten because
 * there are too many; a log without any state to begin with; a log that splits.
 * That nothing comes for a second is written as that condition itself.
 */

#ifndef HOSTS
#define HOSTS 2
#endif
#ifndef OUTS
#define OUTS 2    /* records that host 0 accepts */
#endif
#ifndef OTHERS
#define OTHERS 1  /* that host 1 has accepted to begin with */
#endif
#ifndef LOSSES
#define LOSSES 0
#endif
#ifndef RECONNECTS
#define RECONNECTS 0
#endif
#ifndef MAXD
#define MAXD 0
#endif
#ifndef DROPS
#define DROPS 0
#endif
#ifndef RENEWS
#define RENEWS 0
#endif
#ifndef CHECKS
#define CHECKS 1  /* checkpoints in all */
#endif
#ifndef BATCH
#define BATCH 2   /* records that a batch may have: 1 or 2 */
#endif
#ifdef JOINER
#define BEGINS(h) (h != HOSTS - 1)
#else
#define BEGINS(h) true
#endif

#ifndef MAXLOG
#define MAXLOG  10
#endif
#define MAXLIST 6
#define ORIGINS (HOSTS + RENEWS)
#define FLIGHT  2 /* batches on their way at most */
#define LATE    4

#define FREE 0
#define DEAD 9    /* its holder has died: the next one is told EOWNERDEAD */
#define CAN_LOCK(h) (lock[h] == FREE || lock[h] == DEAD)

#define ALL 3
#define PLACE(m, i) ((m) * 4 + (i))
#define MESSAGE(p)  ((p) / 4)
#define INDEX(p)    ((p) % 4)
#define BEHIND(m)   PLACE(m, ALL)

/* Of each host, in its segment: */
byte lock[HOSTS], self[HOSTS];
byte wrote[HOSTS], applied[HOSTS]; /* OUTBOX records: committed, and noted */
byte out[HOSTS], outbox[HOSTS];
byte un[HOSTS];           /* marked records that are committed, not noted: */
byte un_place[HOSTS * 2];
short un_hash[HOSTS * 2];
byte noting[HOSTS];       /* a place that is noted without a record; 0: none */
short noting_hash[HOSTS];
byte last[HOSTS * ORIGINS], returned[HOSTS], pos[HOSTS];
short hash[HOSTS];
bit joined[HOSTS];
byte aside, aside_self;   /* of host 0: records of the ring set aside, 0: none */

#define LAST(h, o) last[(h) * ORIGINS + (o)]

/* The log: kind, origin; of a batch, prev, count and round; of a checkpoint, the
 * place, the hash and each origin's last, two bits each. */
#define GENESIS    0
#define RECORDS    1
#define CHECKPOINT 2
byte loglen, first;
bit unread;       /* by host 1 */
#ifdef LAGS
#define ARRIVES true
#else
#define ARRIVES (!unread)
#endif
byte lg_kind[MAXLOG], lg_origin[MAXLOG], lg_a[MAXLOG], lg_n[MAXLOG];
byte lg_round[MAXLOG], lg_lasts[MAXLOG];
short lg_hash[MAXLOG];
#define LASTS(w, o) (((w) >> (2 * (o))) % 4)

/* On the way to it: by the connection, and by host 0's that were lost. */
chan way[HOSTS] = [FLIGHT + 1] of { byte, byte, byte, byte, byte, short, byte };
chan late = [LATE] of { byte, byte, byte, byte, byte, short, byte };

/* The truth: */
byte list[MAXLIST], total; /* all records that count, as places */
byte listed[HOSTS];        /* so many of them a host has */
bit left_out[HOSTS];       /* and had no place for the last of them */
byte answered[ORIGINS];
byte known_pos[MAXLOG];    /* where a host stands behind a message, with: */
short known_hash[MAXLOG];
byte accepted;             /* by host 0 */
byte given_up;             /* of these, by a ring that was given up */
byte deaths, losses, drops, renews, checks, reconnects;

/* One step; before it, who does it may be killed. */
#define STEP(x) atomic { \
	if \
	:: h == 0 && deaths < MAXD -> deaths++; goto killed \
	:: true -> x \
	fi }

#ifdef BREAK_ANSWERED_WHEN_ACCEPTED
#define ANSWER_AT_ONCE answer(wrote[h])
#else
#define ANSWER_AT_ONCE skip
#endif

/* How many of the first records of the list are of an origin: n. */
inline count_listed(whose, among) {
	n = 0;
	x = 0;
	do
	:: x < among ->
		if :: lg_origin[MESSAGE(list[x])] == whose -> n++ :: else fi;
		x++
	:: else -> break
	od;
	x = 0
}

/* Host h answers its records up to this number: they are in the log. */
inline answer(number) {
	if
	:: number > answered[self[h]] ->                     /* truth */
		count_listed(self[h], total);                /* truth */
		assert(n >= number);
		answered[self[h]] = number                   /* truth */
	:: else
	fi;
	n = 0
}

/* Host h has the record at a place, or no place for it. */
inline list_place(place, is_left_out) {
	k = listed[h];
	if
	:: k > 0 && list[k - 1] == place ->
		assert(left_out[h])      /* it was in no ring before */
	:: else ->
		if
		:: k == total ->
			count_listed(lg_origin[MESSAGE(place)], k);
			assert(lg_a[MESSAGE(place)] + INDEX(place) == n);
			list[k] = place;
			total++
		:: else ->
			assert(list[k] == place)
		fi;
		listed[h] = k + 1
	fi;
	left_out[h] = is_left_out;
	n = 0;
	k = 0
}

inline note(place, mark) {
	o = lg_origin[MESSAGE(place)];
	c = lg_a[MESSAGE(place)] + 1 + INDEX(place);
	STEP(LAST(h, o) = c);                                /* note-1 */
	STEP(hash[h] = mark);                                   /* note-2 */
	if
	:: o == self[h] ->                                   /* note-3 */
		STEP(returned[h] = c; answer(c))             /* note-3 */
	:: else
	fi;
	STEP(pos[h] = place);                                    /* note-4 */
	o = 0;
	c = 0
}

#ifdef BREAK_OUT_GOES_BACK
#define IS_UNSAID(k) true
#else
#define IS_UNSAID(k) (k > out[h])
#endif

/* What a dead holder of the lock has committed, and not noted. */
inline repair() {
#ifndef BREAK_OUTBOX_IS_NOT_REPAIRED
	if
	:: applied[h] < wrote[h] ->                          /* lock-2 */
		k = applied[h];                              /* lock-2 */
		do
		:: k < wrote[h] ->                           /* lock-2 */
			k++;
			if
			:: IS_UNSAID(k) ->                   /* outbox-1 */
				STEP(outbox[h] = k);         /* outbox-1 */
				STEP(out[h] = k)             /* outbox-2 */
			:: else
			fi
		:: else -> break
		od;
		k = 0;
		STEP(applied[h] = wrote[h])                  /* repair-2 */
	:: else
	fi;
#endif
#ifndef BREAK_MARKS_ARE_NOT_REPAIRED
	if
	:: un[h] > 0 || noting[h] != 0 ->                    /* lock-2 */
		do
		:: k < un[h] + (noting[h] != 0) ->           /* lock-2 */
			if
			:: k < un[h] ->                      /* repair-1 */
				p = un_place[h * 2 + k];     /* repair-1 */
				w = un_hash[h * 2 + k]       /* repair-1 */
			:: else ->
				p = noting[h];               /* omit-2 */
				w = noting_hash[h]           /* omit-2 */
			fi;
			note(p, w);
			k++
		:: else -> break
		od;
		k = 0; p = 0; w = 0;
		STEP(un[h] = 0);                             /* repair-2 */
		STEP(noting[h] = 0; noting_hash[h] = 0)      /* omit-2 */
	:: else
	fi
#endif
}

proctype worker(byte h) {
	bit fresh;
	byte n, x, k, o, c, p;
	short w;

reborn:	fresh = 1;
end:	do
	:: atomic { (fresh || accepted < OUTS) && CAN_LOCK(h) -> /* lock-1 */
		lock[h] = 1 };                               /* lock-1 */
		repair();
		if
		:: fresh -> fresh = 0
		:: else ->
			if
			:: k = 1
			:: BATCH > 1 && accepted + 1 < OUTS -> k = 2
			fi;
			STEP(wrote[h] = wrote[h] + k;        /* publish-3 */
				accepted = accepted + k; ANSWER_AT_ONCE; k = 0);
#ifdef BREAK_OUT_BEFORE_OUTBOX
			STEP(out[h] = wrote[h]);             /* outbox-2 */
			STEP(outbox[h] = wrote[h]);          /* outbox-1 */
#else
			STEP(outbox[h] = wrote[h]);          /* outbox-1 */
			STEP(out[h] = wrote[h]);             /* outbox-2 */
#endif
			STEP(applied[h] = wrote[h])          /* publish-5 */
		fi;
		STEP(lock[h] = FREE)                         /* lock-5 */
	od;

killed:	atomic { lock[h] = DEAD;                             /* lock-1 */
		n = 0; x = 0; k = 0; o = 0; c = 0; p = 0; w = 0;
		goto reborn }
}

/* What is on the way of a connection that is lost: it is lost, or late. */
inline lose_way() {
	if
	:: true ->
		do
		:: way[h]?x, o, c, n, g, w, k
		:: empty(way[h]) -> break
		od
	:: h == 0 && len(late) + len(way[h]) <= LATE && nempty(way[h]) ->
		do
		:: way[h]?x, o, c, n, g, w, k -> late!x, o, c, n, g, w, k
		:: empty(way[h]) -> break
		od
	fi;
	x = 0; o = 0; c = 0; n = 0; g = 0; w = 0; k = 0
}

/* All that has come back is done. */
inline settle() {
	do
	:: count > 0 && from <= LAST(h, self[h]) ->          /* came-1 */
		if
		:: ends[0] > LAST(h, self[h]) ->              /* came-1 */
#ifdef BREAK_NO_TRIM
			break
#else
			from = LAST(h, self[h]) + 1;         /* came-1 */
			break
#endif
		:: else ->
			from = ends[0] + 1;
			ends[0] = ends[1];
			ends[1] = 0;
			count--;
			if :: sent > 0 -> sent-- :: else fi
		fi
	:: else -> break
	od
}

#ifdef BREAK_GATHERS_AGAIN
#define IS_NEWS(n) (n != gathered)
#else
#define IS_NEWS(n) (n > gathered)
#endif

/* Make batches of what waits, as many as may be on their way. */
inline pack() {
	do
	:: count < FLIGHT && packed < gathered ->
		packed = (packed + BATCH < gathered -> packed + BATCH : gathered);
		ends[count] = packed;
		count++
	:: else -> break
	od
}

inline go_back() {
	round = (round + 1) % 16;                            /* back-1 */
	sent = 0                                             /* back-1 */
}

/* Publish what has been gathered of message r: g records. */
inline publish_marked() {
	STEP(un[h] = g;                                      /* publish-3 */
		un_place[h * 2] = gp[0]; un_hash[h * 2] = gw[0];     /* publish-3 */
		un_place[h * 2 + 1] = gp[1]; un_hash[h * 2 + 1] = gw[1]; /* publish-3 */
		do
		:: at < g -> list_place(gp[at], 0); at++
		:: else -> break
		od);
	note(gp[g - 1], gw[g - 1]);                          /* publish-4 */
	STEP(un[h] = 0; un_place[h * 2] = 0; un_hash[h * 2] = 0;  /* publish-5 */
		un_place[h * 2 + 1] = 0; un_hash[h * 2 + 1] = 0); /* publish-5 */
	g = 0; gp[0] = 0; gp[1] = 0; gw[0] = 0; gw[1] = 0; at = 0
}

#ifdef BREAK_ALL_RECORDS_HAVE_THE_NEW_HASH
#define MARK_HASH(i) (before ^ (1 << r))
#else
#define MARK_HASH(i) (i + 1 < lg_n[r] -> before : before ^ (1 << r))
#endif

/* The records of message r, which counts, but for those that are in the ring. */
inline take_batch() {
	before = hash[h];                                    /* judge-2 */
#ifdef BREAK_POS_BEFORE_RECORDS
	i = lg_n[r];
	STEP(pos[h] = PLACE(r, i - 1));                      /* note-4 */
#else
	i = (MESSAGE(pos[h]) == r -> INDEX(pos[h]) + 1 : 0); /* judge-2 */
#endif
	do
	:: i < lg_n[r] ->
		if
		:: true ->
			gp[g] = PLACE(r, i);
			gw[g] = MARK_HASH(i);
			g++
		:: h == 0 && drops < DROPS && g == 0 ->
			drops++;
			list_place(PLACE(r, i), 1)
		fi;
		i++;
		if
		:: g > 0 -> publish_marked()
		:: g > 0 && i < lg_n[r] -> skip
		:: g == 0 -> skip
		fi
	:: else -> break
	od;
	i--;
	if
	:: pos[h] < PLACE(r, i) ->                           /* omit-1 */
		w = MARK_HASH(i);
#ifndef BREAK_LEFT_OUT_IS_NOTED_IN_STEPS
		STEP(noting_hash[h] = w);                    /* omit-1 */
		STEP(noting[h] = PLACE(r, i));               /* omit-1 */
#endif
		note(PLACE(r, i), w);                        /* omit-1 */
		STEP(noting[h] = 0; noting_hash[h] = 0);     /* omit-1 */
		w = 0
	:: else
	fi;
	i = 0; before = 0
}

#ifdef BREAK_HALF_IS_OLD
#define IS_OLD(h, m) (m <= MESSAGE(pos[h]))
#else
#define IS_OLD(h, m) (m < MESSAGE(pos[h]) || (m == MESSAGE(pos[h]) && \
	(INDEX(pos[h]) == ALL || lg_kind[m] != RECORDS || INDEX(pos[h]) + 1 >= lg_n[m])))
#endif
#ifdef BREAK_HALF_IS_JUDGED
#define IS_HALF(h, m) false
#else
#define IS_HALF(h, m) (m == MESSAGE(pos[h]))
#endif
#ifdef BREAK_TAKES_WHAT_IS_BEHIND_A_HOLE
#define COUNTS(h, m) (lg_a[m] >= LAST(h, lg_origin[m]))
#else
#ifdef BREAK_TAKES_A_DOUBLE
#define COUNTS(h, m) (lg_a[m] <= LAST(h, lg_origin[m]))
#else
#define COUNTS(h, m) (lg_a[m] == LAST(h, lg_origin[m]))
#endif
#endif
#ifdef BREAK_HASH_AMID_A_BATCH_IS_COMPARED
#define SAME_PLACE(p) (known_pos[MESSAGE(p)] != 0)
#else
#define SAME_PLACE(p) (known_pos[MESSAGE(p)] == p)
#endif

inline skip_message() {
#ifdef BREAK_SKIPPED_IS_NOT_NOTED
	skip
#else
	STEP(pos[h] = BEHIND(r))                             /* skip-1 */
#endif
}

/* All hosts stand at the same place behind a message, with one hash. */
inline remember() {
	if
	:: known_pos[r] == 0 ->
		known_pos[r] = pos[h];                       /* truth */
		known_hash[r] = hash[h]                      /* truth */
	:: else ->
		assert(known_pos[r] == pos[h]);              /* truth */
		assert(known_hash[r] == hash[h])             /* truth */
	fi
}

/* Take message r. */
inline take_message() {
	if
	:: IS_OLD(h, r) -> skip                              /* judge-1 */
	:: else ->
		assert(r <= MESSAGE(pos[h]) + 1);            /* judge-1 */
		if
		:: lg_kind[r] == CHECKPOINT ->
			assert(!SAME_PLACE(lg_a[r]) ||       /* state-2 */
				known_hash[MESSAGE(lg_a[r])] == lg_hash[r]);
			skip_message()
		:: lg_kind[r] == RECORDS && (IS_HALF(h, r) || COUNTS(h, r)) -> /* judge-3 */
			take_batch()
		:: else ->
			skip_message();
			if
			:: lg_origin[r] == self[h] && lg_round[r] == round && /* back-1 */
			   lg_a[r] + lg_n[r] > LAST(h, self[h]) ->        /* back-1 */
				go_back()
			:: else
			fi
		fi;
		remember()
	fi
}

/* The words as they are now, with each origin's last. */
inline send_state() {
	w = 0;
	k = ORIGINS;
	do
	:: k > 0 -> k--; w = w * 4 + LAST(h, k)              /* state-1 */
	:: else -> break
	od;
	way[h]!CHECKPOINT, self[h] + 1, pos[h], 0, 0, hash[h], w; /* state-1 */
	w = 0
}

/* The next batch. */
inline send_batch() {
	c = (sent == 0 -> from - 1 : ends[sent - 1]);
	way[h]!RECORDS, self[h] + 1, c, ends[sent] - c, round, 0, 0; /* send-1 */
	sent++;
	c = 0
}

#ifdef BREAK_ASIDE_IS_SENT_FROM_ITS_BEGINNING
#define ASIDE_BACK 0
#else
#define ASIDE_BACK LAST(h, aside_self)
#endif

/* The next batch of the ring set aside; one is on its way at a time. */
inline send_aside() {
	c = ASIDE_BACK;                                      /* aside-2 */
	n = (aside - c > BATCH -> BATCH : aside - c);
	way[h]!RECORDS, aside_self + 1, c, n, 0, 0, 0;
	aside_sent = 1;
	c = 0;
	n = 0
}

/* Begin with message r as the state. */
inline join() {
	k = 0;
	do
	:: k < ORIGINS ->
		STEP(LAST(h, k) = LASTS(lg_lasts[r], k));    /* join-2 */
		k++
	:: else -> break
	od;
	STEP(hash[h] = lg_hash[r]);                          /* join-2 */
	STEP(pos[h] = (lg_kind[r] == GENESIS -> BEHIND(r) : lg_a[r]));  /* join-2 */
	STEP(joined[h] = 1);                                 /* join-3 */
	k = 0;
	do
	:: k < total && list[k] <= pos[h] -> k++             /* truth */
	:: else -> break
	od;
	listed[h] = k;
	left_out[h] = 0;
	k = 0
}

#define IS_STATE(m) (m >= first && (lg_kind[m] == GENESIS || \
	(lg_kind[m] == CHECKPOINT && MESSAGE(lg_a[m]) + 1 >= first)))

#define QUIET (empty(way[h]) && empty(late) && r > loglen)

/* This ring cannot go on, or is found damaged: a new one. */
inline begin_anew() {
	assert(renews < RENEWS);
	renews++;
	given_up = wrote[h];                                          /* truth */
#ifndef BREAK_NOTHING_IS_SET_ASIDE
	aside = wrote[h];                                             /* aside-1 */
	aside_self = self[h];                                         /* aside-1 */
#endif
	wrote[h] = 0; applied[h] = 0; out[h] = 0; outbox[h] = 0;      /* any */
	un[h] = 0; un_place[h * 2] = 0; un_place[h * 2 + 1] = 0;      /* any */
	un_hash[h * 2] = 0; un_hash[h * 2 + 1] = 0; noting[h] = 0;    /* any */
	noting_hash[h] = 0; returned[h] = 0; pos[h] = 0; hash[h] = 0; /* any */
	joined[h] = 0; lock[h] = FREE;                                /* any */
	k = 0;
	do
	:: k < ORIGINS -> LAST(h, k) = 0; k++                         /* any */
	:: else -> break
	od;
	k = 0;
#ifndef BREAK_NEW_RING_IS_THE_OLD_ORIGIN
	self[h] = HOSTS - 1 + renews;                                 /* any */
#endif
	skip
}

/* A bridge begins with a ring that has joined. */
inline begin() {
#ifdef BREAK_NEXT_BRIDGE_READS_BEHIND
	r = MESSAGE(pos[h]) + 1;                             /* read-1 */
#else
	r = MESSAGE(pos[h]);                                 /* read-1 */
#endif
#ifdef BREAK_NEXT_BRIDGE_SENDS_WHAT_IS_NEW
	gathered = out[h];                                   /* gather-1 */
#else
	gathered = LAST(h, self[h]);                         /* gather-1 */
#endif
	packed = gathered;
	from = packed + 1;
	ready = 1
}

#ifdef BREAK_BEGINS_WITHOUT_THE_LOCK
#define HAS_TO_LOCK(h) (ready -> r <= loglen : !joined[h])
#else
#define HAS_TO_LOCK(h) (!ready || r <= loglen)
#endif

proctype bridge(byte h) {
	bit ready, aside_sent;
	byte r, gathered, packed, from, count, sent, round;
	byte ends[FLIGHT];
	byte i, g, at, n, x, k, o, c, p;
	byte gp[2];
	short gw[2], before, w;

end:	do
	:: atomic { HAS_TO_LOCK(h) && CAN_LOCK(h) ->         /* lock-1 */
		lock[h] = 2;                                 /* lock-1 */
		repair();
		if
		:: ready ->
			if
			:: r < first -> r = first
			:: else
			fi;
			if
			:: r > MESSAGE(pos[h]) + 1 -> goto anew /* judge-1 */
			:: else
			fi;
			take_message();
			r++;
			if
			:: h == 1 && r > loglen -> unread = 0
			:: else
			fi;
			settle()
		:: !ready && !joined[h] ->                   /* join-1 */
			r = first;
			do
			:: r < loglen -> r++
			:: IS_STATE(r) -> join(); break      /* join-1 */
			:: r == loglen && !IS_STATE(r) -> break /* join-1 */
			od
		:: else
		fi;
		if
		:: !ready && joined[h] -> begin()            /* join-3 */
		:: else
		fi;
		lock[h] = FREE }                             /* lock-5 */
#ifdef BREAK_BEGINS_WITHOUT_THE_LOCK
	:: atomic { !ready && joined[h] -> begin() }         /* join-3 */
#endif
	:: ready && IS_NEWS(out[h]) ->                       /* gather-1 */
		atomic {
			/* Walk back from the newest. */
			assert(outbox[h] > gathered);        /* gather-2 */
			gathered = outbox[h]                 /* gather-2 */
		}
	:: atomic { nfull(way[h]) &&
		(sent < count || (count < FLIGHT && packed < gathered)) ->
		pack();
		settle();
		if
		:: sent < count -> send_batch()
		:: else
		fi }
	:: atomic { ready && h == 0 && !aside_sent && nfull(way[h]) &&
		aside > LAST(h, aside_self) ->               /* aside-2 */
		send_aside() }
	/* Some of it has come, or nothing does for a second. */
	:: atomic { aside_sent && QUIET -> aside_sent = 0 }
	:: atomic { ready && checks < CHECKS && nfull(way[h]) ->
		checks++;
		send_state() }
#ifndef BREAK_NEVER_GOES_BACK
	:: atomic { sent > 0 && QUIET -> go_back() }
#endif
	:: atomic { ready && h == 0 && reconnects < RECONNECTS ->
		reconnects++;
		go_back();
		goto cut }
	:: atomic { h == 0 && deaths < MAXD && ready -> deaths++; goto left }
	:: atomic { h == 0 && renews < RENEWS && CAN_LOCK(h) -> goto anew } /* any */
	od;

anew:	atomic { begin_anew(); goto left };
killed:	atomic { lock[h] = DEAD };                           /* lock-1 */
left:	atomic { ready = 0; aside_sent = 0; r = 0; gathered = 0; packed = 0; from = 0; count = 0;
		sent = 0; round = 0; ends[0] = 0; ends[1] = 0; i = 0; g = 0;
		at = 0; n = 0; x = 0; k = 0; o = 0; c = 0; p = 0; gp[0] = 0;
		gp[1] = 0; gw[0] = 0; gw[1] = 0; before = 0; w = 0 };
cut:	atomic { lose_way(); goto end }
}

inline append() {
	assert(loglen < MAXLOG - 1);     /* or the model must be larger */
	loglen++;
	unread = 1;
	lg_kind[loglen] = kind; lg_origin[loglen] = o - 1; lg_a[loglen] = a;
	lg_n[loglen] = n; lg_round[loglen] = r; lg_hash[loglen] = w;
	lg_lasts[loglen] = l
}

/* What is on its way arrives, or not. */
proctype net() {
	byte kind, o, a, n, r, l, i;
	short w;

end:	do
	:: atomic { ARRIVES && (nempty(way[0]) || nempty(way[1]) || nempty(late)
#if HOSTS > 2
		|| nempty(way[2])
#endif
		) ->
		if
		:: nempty(way[0]) -> way[0]?kind, o, a, n, r, w, l
		:: nempty(way[0]) && losses < LOSSES ->
			way[0]?kind, o, a, n, r, w, l;
			losses++;
			o = 0
		:: nempty(way[1]) -> way[1]?kind, o, a, n, r, w, l
#if HOSTS > 2
		:: nempty(way[2]) -> way[2]?kind, o, a, n, r, w, l
#endif
		:: nempty(late) -> late?kind, o, a, n, r, w, l
		fi;
		if
		:: o > 0 -> append()
		:: else
		fi;
		kind = 0; o = 0; a = 0; n = 0; r = 0; w = 0; l = 0 }
#ifdef EXPIRES
	/* What host 0 has not read, perhaps. */
	:: atomic { first == 1 ->
		i = 2;
		do
		:: i < loglen && i <= MESSAGE(pos[1]) -> i++ /* any */
		:: i > 2 -> break
		od;
		first = i;
		i = first;
		do
		:: i <= loglen && !IS_STATE(i) -> i++
		:: else -> break
		od;
		i <= loglen -> i = 0 }
#endif
	od
}

/* At rest: all that was accepted is everywhere, and its clients know. */
proctype rest() {
	byte h, n, x, k;

	timeout -> atomic {
	do
	:: h < HOSTS ->
		assert(joined[h] && listed[h] == total);                 /* truth */
		assert(pos[h] == pos[0] && hash[h] == hash[0]);          /* truth */
		assert(un[h] == 0 && noting[h] == 0);                    /* truth */
		count_listed(self[h], total);                            /* truth */
		assert(n == wrote[h] && n == returned[h] && n == answered[self[h]]); /* truth */
		k = 0;
		do
		:: k < ORIGINS ->
			count_listed(k, total);
			assert(LAST(h, k) == n && answered[k] <= n);     /* truth */
			assert(renews == 0 || k != 0 || n == given_up);  /* truth */
			k++
		:: else -> break
		od;
		h++
	:: else -> break
	od }
}

init {
	byte h;

	atomic {
		first = 1;
		loglen = 1;
		lg_kind[1] = GENESIS;
		known_pos[1] = BEHIND(1);
		do
		:: h < HOSTS ->
			self[h] = h;
			if
			:: BEGINS(h) -> joined[h] = 1; pos[h] = BEHIND(1)
			:: else
			fi;
			run bridge(h);
			h++
		:: else -> break
		od;
		wrote[1] = OTHERS; applied[1] = OTHERS; out[1] = OTHERS;
		outbox[1] = OTHERS;
		run worker(0);
		run net();
		run rest()
	}
}
