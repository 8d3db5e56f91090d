/* SPDX-License-Identifier: MIT */
/*
 * bug.h - what to do when the program itself is wrong.
 *
 * CHECK() states what must be true if the code is right; it is never compiled
 * out and never tests anything that a client, an operator or the kernel can
 * cause.  A failed check leaves last words (by the hook that each process
 * installs: a worker's is in broker/shared/last_words.h, the supervisor's in
 * broker/supervisor/open.c), logs them, and aborts this process alone.
 */

#ifndef COMMON_BUG_H
#define COMMON_BUG_H

#define CHECK(cond)                                                   \
	do {                                                          \
		if (__builtin_expect(!(cond), 0))                     \
			bug_die(__FILE__, __LINE__, __func__, #cond); \
	} while (0)

#define BUG(why) bug_die(__FILE__, __LINE__, __func__, (why))

/* Called with the last words before the process aborts; must not return to
 * the failed code by longjmp, must not allocate. */
typedef void bug_hook(const char *words);

/* Install this process's hook (NULL: none).  A forked child inherits its
 * parent's until it sets its own. */
void bug_set_hook(bug_hook *hook);

/* Leave last words and abort.  Never returns.  Use CHECK() and BUG(). */
__attribute__((noreturn)) void bug_die(
    const char *file, int line, const char *func, const char *why);

#endif
