/* SPDX-License-Identifier: MIT */
/*
 * answering.h - answer what is asked of this worker (ask.h): describe its
 * connections, or close some.
 */

#ifndef WORKER_ANSWERING_H
#define WORKER_ANSWERING_H

struct worker;

/* Callers: worker_open(). */
void answering_init(struct worker *w);
void answering_fini(struct worker *w);

/* What this slot asks is nobody's any more.  Callers: who takes it over. */
void answering_forget(struct worker *w);

/* Answer one question, if there is any: a page, for which a bounded number of
 * connections is looked at.  Callers: the turn's end, before the flush. */
void answering_turn(struct worker *w);

#endif
