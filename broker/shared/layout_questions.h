/* SPDX-License-Identifier: MIT */
/*
 * layout_questions.h - the bytes by which workers ask the other hosts of a
 * cluster; what happens with them: questions.h.
 *
 *	+--------------------------------------------------------------+
 *	| struct layout_question  x LAYOUT_QUESTIONS   what is asked   |
 *	| struct layout_gathered  x LAYOUT_QUESTIONS   what was told   |
 *	+--------------------------------------------------------------+
 *
 * Without --cluster there are none, and the area has no bytes.
 */

/* clang-format off */
/*
 *  field              written by               an unlocked read is safe because
 *  -----------------  -----------------------  -----------------------------------
 *  question.owner     any worker from 0 to     atomic; nobody takes what another
 *                     itself (compare-and-     has
 *                     swap); that worker, or
 *                     its successor, to 0
 *  question.id, .len, the owner                copied word by word, believed only
 *  .words                                      after `id' was looked at again
 *  gathered.version,  the bridge               likewise, by `version'
 *  .id, .len, .words
 */
/* clang-format on */

#ifndef BROKER_SHARED_LAYOUT_QUESTIONS_H
#define BROKER_SHARED_LAYOUT_QUESTIONS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

/* Questions of all workers of a host that are open at a time. */
#define LAYOUT_QUESTIONS 16u

#define LAYOUT_QUESTION_WORDS 1150u         /* of a question */
#define LAYOUT_GATHERED_WORDS (16u * 1024u) /* of what was told, together */

struct layout_question {
	alignas(64) _Atomic uint64_t owner; /* a worker's slot + 1; 0: free */
	_Atomic uint64_t id;                /* odd: being written */
	_Atomic uint64_t len;               /* bytes */
	_Atomic uint64_t words[LAYOUT_QUESTION_WORDS];
};

struct layout_gathered {
	alignas(64) _Atomic uint64_t version; /* odd: being written */
	_Atomic uint64_t id;                  /* of the question */
	_Atomic uint64_t len;                 /* bytes */
	_Atomic uint64_t words[LAYOUT_GATHERED_WORDS];
};

#endif
