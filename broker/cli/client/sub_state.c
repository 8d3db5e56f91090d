/* SPDX-License-Identifier: MIT */
/* sub_state.c - see sub_state.h. */

#include "broker/cli/client/sub_state.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>

/* How long the server may take to answer the close; and the reader of standard
 * output to take the rest, unless all messages that were wanted have come. */
#define SUB_LEAVE_MS 2000

void
sub_leave(struct sub *s, enum exit_status status)
{
	if (s->is_leaving)
		return;
	s->is_leaving = true;
	s->status = status;
	s->until_ms = clock_monotonic_ms() + SUB_LEAVE_MS;
	client_close(&s->client);
}

void
sub_note(struct sub *s, const char *format, ...)
{
	va_list args;

	sub_output_turn(&s->output, 0);
	fputs("pubsubd: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
