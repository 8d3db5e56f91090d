/* SPDX-License-Identifier: MIT */
/* last_words.c - see last_words.h. */

#include "broker/shared/last_words.h"

#include "common/bug.h"

#include <signal.h>
#include <string.h>

static struct layout_worker *last_words_self;

void
last_words_leave(struct layout_worker *self, const char *words)
{
	size_t len = strnlen(words, LAYOUT_OBITUARY - 1);

	if (self->last_words[0] != '\0')
		return; /* the first words are the cause */
	memcpy(self->last_words, words, len);
	self->last_words[len] = '\0';
}

static void
last_words_write(const char *words)
{
	last_words_leave(last_words_self, words);
}

static void
last_words_signal_cb(int signo)
{
	switch (signo) {
	case SIGSEGV:
		last_words_write("fatal signal SIGSEGV: invalid memory access");
		break;
	case SIGBUS:
		last_words_write("fatal signal SIGBUS: memory not backed");
		break;
	case SIGILL:
		last_words_write("fatal signal SIGILL: illegal instruction");
		break;
	default:
		last_words_write("fatal signal SIGFPE: arithmetic fault");
		break;
	}
	/* SA_RESETHAND: this one kills, on return, whether the signal was a
	 * fault's (that would come again) or kill(2)'s (it would not) */
	raise(signo);
}

void
last_words_open(struct layout_worker *self)
{
	static unsigned char stack[64 * 1024];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = last_words_signal_cb,
		.sa_flags = (int)SA_RESETHAND };
	const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };

	last_words_self = self;
	bug_set_hook(last_words_write);
	/* If a filter refuses it, a worker whose stack has run over leaves no
	 * last words. */
	if (sigaltstack(&alternate, NULL) == 0)
		action.sa_flags |= SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < 4; i++)
		CHECK(sigaction(fatal_signals[i], &action, NULL) == 0);
}

const char *
last_words_take(struct layout_worker *dead, char out[LAYOUT_OBITUARY])
{
	size_t len = strnlen(dead->last_words, LAYOUT_OBITUARY - 1);

	memcpy(out, dead->last_words, len);
	out[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
			out[i] = '?';
	memset(dead->last_words, 0, sizeof(dead->last_words));
	return out;
}
