/* SPDX-License-Identifier: MIT */
/* top_screen.h - what `top' shows: one screen as lines of text. */

#ifndef BROKER_CLI_TOP_SCREEN_H
#define BROKER_CLI_TOP_SCREEN_H

#include "broker/status/look.h"
#include "common/buf.h"

struct top_view {
	const char *instance;
	const struct segment *seg;
	const struct look *now;    /* of seg */
	const struct look *before; /* rates are "-" unless now follows it */
	unsigned rows;             /* lines there is room for; 0: any number */
};

/*
 * Append the screen; each line ends with a newline.  Where the rows do not
 * suffice, workers and topics are left out, and the screen says how many.  Lines
 * are at most 80 characters long, but for addresses and topics at their end.
 */
void top_screen_put(struct buf *buf, const struct top_view *view);

#endif
