/* SPDX-License-Identifier: MIT */
/*
 * last_words.h - the last words of a worker, left in its slot of the segment.
 *
 * The worker writes them while it dies (a failed CHECK(), a fatal signal, a start
 * that comes to nothing); the supervisor reads them after waitpid(2) and logs them.  Writing only copies
 * bytes: it is safe in a signal handler.
 */

#ifndef BROKER_SHARED_LAST_WORDS_H
#define BROKER_SHARED_LAST_WORDS_H

#include "broker/shared/segment.h"

/*
 * From now on this process leaves its last words in its slot: hooks BUG() and
 * CHECK(), and catches SIGSEGV, SIGBUS, SIGILL and SIGFPE on a stack of its
 * own, then dies of them by default.
 * Callers: a worker, after the fork.
 */
void last_words_open(struct layout_worker *self);

/*
 * Leave these words, unless there are some already: those of a worker that ends
 * by exit(2), because it cannot start.  Cut to LAYOUT_OBITUARY - 1 bytes.
 * Callers: a worker, also before last_words_open().
 */
void last_words_leave(struct layout_worker *self, const char *words);

/*
 * Copy the last words of a dead worker and wipe them for its successor.
 * Returns out, "" if there were none; control characters become '?'.
 * Callers: supervisor, after waitpid(2).
 */
const char *last_words_take(
    struct layout_worker *dead, char out[LAYOUT_OBITUARY]);

#endif
