/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - a screen that is drawn again and again, and keys (termios(3)).
 *
 * While it is open, standard output shows the other screen of the terminal,
 * without a cursor and without wrapping lines, and keys come at once and without
 * an echo.  Signals that would end or stop the process are held and become
 * events, so that the terminal is given back as it was.  Of control sequences
 * only those of xterm are used that every terminal of today has.
 *
 * Standard input may be something else; then there are no keys.
 */

#ifndef BROKER_CLI_TERMINAL_H
#define BROKER_CLI_TERMINAL_H

#include "common/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#define TERMINAL_ERROR_MAX 128 /* bytes of a reason */

enum terminal_event {
	TERMINAL_DUE = 0, /* the time has come */
	TERMINAL_QUIT,    /* q, a signal, or the terminal is gone */
	TERMINAL_REDRAW,  /* another size, any other key, or continued */
};

struct terminal {
	int out;     /* the terminal, a description of our own */
	int signals; /* signalfd(2) */
	bool has_keys;
	struct termios before; /* of standard input, if has_keys */
	unsigned rows;         /* as of the last look; at least 1 */
	struct buf frame;      /* with its control sequences */
};

/*
 * Take standard output over.
 * Returns: false with a reason: it is no terminal, or none that can move its
 *          cursor.  The process's signals are as before then.
 * Owns:    the caller, terminal_close().
 */
bool terminal_open(struct terminal *terminal, char error[TERMINAL_ERROR_MAX]);

/* Give it back as it was. */
void terminal_close(struct terminal *terminal);

/*
 * Show these lines, each with a newline behind it, as far as there are rows.
 * Blocks:  while the terminal takes nothing, but not beyond a signal.
 */
void terminal_show(struct terminal *terminal, const struct buf *lines);

/* Wait for what comes first.  A stop (Ctrl-Z) happens in here.
 * Blocks: until this time of the monotonic clock. */
enum terminal_event terminal_wait(
    struct terminal *terminal, uint64_t deadline_ms);

#endif
