/* SPDX-License-Identifier: MIT */
/*
 * upgrade_page.h - one page that programs of any two versions read alike.
 *
 * The segment belongs to programs of one layout.  What a command hears of an
 * upgrade, and what is agreed on while all connections go to another segment, is
 * said here instead.  The page is memory of the supervisor, a memfd that it keeps
 * over execve(2), so what is here never changes its place or its meaning: what a
 * later program needs beyond is appended.
 *
 * A *move* gives all workers successors at once, which have a segment of their
 * own.  Messages that are accepted in one segment are not seen in the other, so
 * nobody may go on there while somebody goes on here.  One word decides that for
 * all of them:
 *
 *	 NONE, OFF
 *	     | supervisor: a move begins
 *	     v
 *	   OPEN ------------------------------> OFF	all go on as they were
 *	     |     supervisor: a successor is dead or late;
 *	     |     a worker: its successor is gone
 *	     | supervisor: every successor has everything, and lives
 *	     v
 *	 COMMITTED	every worker ends
 *	     |
 *	     | supervisor: the new segment has the name
 *	     v
 *	  GRANTED	every successor serves
 *
 * Every step is one compare-and-swap, so a worker that wants to go on and the
 * supervisor that wants to commit cannot both succeed.
 *
 * Before a worker gives anything away it waits until nobody takes messages any
 * more: each says in `quiet' that it does not, and when all have, the last
 * position of the segment is final, and each delivers up to there.
 *
 *	field		written by	an unlocked read is safe because
 *	magic		supervisor	never changes
 *	done, refused	supervisor	atomic; only grow
 *	why		supervisor	before `done' or `refused' grows
 *	move		all, see above	atomic; every change a compare-and-swap
 *	quiet		worker w: bit w	atomic
 *	floor		workers		atomic; all write the same
 *	began_ms,	supervisor	before the word is OPEN, or for the next
 *	closed, workers			program, which is executed after it
 *	pid[]		nursery		atomic
 *	words		nursery		read when the nursery is reaped
 *	stop_*		tests		as in struct layout_header
 */

#ifndef BROKER_SHARED_UPGRADE_PAGE_H
#define BROKER_SHARED_UPGRADE_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define UPGRADE_PAGE_SIZE    4096u /* bytes, room for what is to come */
#define UPGRADE_PAGE_MAGIC   UINT64_C(0x7075627570677231) /* "pubupgr1" */
#define UPGRADE_PAGE_WORKERS 64u
#define UPGRADE_PAGE_WHY     512u /* bytes of a reason, NUL included */
#define UPGRADE_PAGE_WORDS   256u

enum move_state {
	MOVE_NONE = 0,
	MOVE_OPEN,
	MOVE_COMMITTED,
	MOVE_GRANTED,
	MOVE_OFF,
};

struct upgrade_page {
	uint64_t magic;
	_Atomic uint64_t done;      /* upgrades */
	_Atomic uint64_t refused;   /* those that did not happen */
	char why[UPGRADE_PAGE_WHY]; /* why the last did not, or what it did */

	_Atomic uint64_t move;  /* its number << 8 | enum move_state */
	_Atomic uint64_t quiet; /* bit w: worker w takes no more messages */
	_Atomic uint64_t floor; /* highest number of a message in the segment */
	uint64_t began_ms;      /* monotonic clock */
	uint64_t closed;        /* connections that could not move */
	uint32_t workers;
	_Atomic int32_t pid[UPGRADE_PAGE_WORKERS]; /* of the successors */
	char words[UPGRADE_PAGE_WORDS]; /* why they cannot be had, NUL-ended */

	_Atomic uint32_t stop_point_arm; /* for those of the new segment */
	_Atomic int32_t stopped;
};

_Static_assert(sizeof(struct upgrade_page) <= UPGRADE_PAGE_SIZE, "one page");

/*
 * Make one.
 * Owns:    the caller, upgrade_page_close() and close(2) of *fd.
 * Returns: NULL if the kernel has none to give, with *fd -1.
 */
struct upgrade_page *upgrade_page_open(int *fd);

/* Map the page of a descriptor.  Returns NULL if that is none. */
struct upgrade_page *upgrade_page_map(int fd, bool writable);

void upgrade_page_close(struct upgrade_page *page);

/* Open, to read, the page of a supervisor.  Returns a descriptor, or -1: it has
 * none, or it cannot be seen. */
int upgrade_page_open_of(pid_t supervisor);

/* Tell the commands that wait for an upgrade what came of it; page may be NULL.
 * Callers: the supervisor. */
void upgrade_page_tell(struct upgrade_page *page, bool done, const char *why);

/* Begin a move of so many workers.  Callers: the supervisor. */
void move_begin(struct upgrade_page *page, uint32_t workers, uint64_t now_ms);

static inline uint64_t
move_number(const struct upgrade_page *page)
{
	return atomic_load(&page->move) >> 8;
}

/* The state of a move; of one that is not the last any more, MOVE_OFF. */
static inline enum move_state
move_state(const struct upgrade_page *page, uint64_t number)
{
	uint64_t word = atomic_load(&page->move);

	return word >> 8 == number ? (enum move_state)(word & 0xff) : MOVE_OFF;
}

/* Whether it is decided that the successors go on. */
static inline bool
move_is_decided(const struct upgrade_page *page, uint64_t number)
{
	enum move_state state = move_state(page, number);

	return state == MOVE_COMMITTED || state == MOVE_GRANTED;
}

/* Take one of the steps above.  Returns false if the word was another. */
static inline bool
move_step(struct upgrade_page *page, uint64_t number, enum move_state from,
    enum move_state to)
{
	uint64_t expected = number << 8 | (uint64_t)from;

	return atomic_compare_exchange_strong(
	    &page->move, &expected, number << 8 | (uint64_t)to);
}

/* Have all go on as they were.  Returns false if it is too late for that. */
static inline bool
move_call_off(struct upgrade_page *page, uint64_t number)
{
	return move_step(page, number, MOVE_OPEN, MOVE_OFF) ||
	       move_state(page, number) == MOVE_OFF;
}

/* Whether no worker takes messages any more. */
static inline bool
move_all_quiet(const struct upgrade_page *page)
{
	uint32_t n = page->workers;
	uint64_t all =
	    n < UPGRADE_PAGE_WORKERS ? (UINT64_C(1) << n) - 1 : UINT64_MAX;

	return (atomic_load(&page->quiet) & all) == all;
}

#endif
