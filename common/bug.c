/* SPDX-License-Identifier: MIT */
/* bug.c - last words, then abort(); see bug.h. */

#include "common/bug.h"

#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>

static bug_hook *bug_last_words;

void
bug_set_hook(bug_hook *hook)
{
	bug_last_words = hook;
}

void
bug_die(const char *file, int line, const char *func, const char *why)
{
	char words[256];

	snprintf(words, sizeof(words), "bug at %s:%d in %s(): %s", file, line,
	    func, why);
	if (bug_last_words != NULL)
		bug_last_words(words);
	log_errorx("%s", words);
	abort();
}
