/* SPDX-License-Identifier: MIT */
/* terminal.c - see terminal.h. */

#include "broker/cli/terminal.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The other screen, no cursor, no wrapping; and back. */
#define TERMINAL_ENTER "\033[?1049h\033[?25l\033[?7l"
#define TERMINAL_LEAVE "\033[?7h\033[?25h\033[?1049l"

#define TERMINAL_HOME      "\033[H"
#define TERMINAL_LINE_END  "\033[K" /* clear what is behind it */
#define TERMINAL_BELOW_END "\033[J" /* clear all below */

#define TERMINAL_ROWS 24 /* of a terminal that does not say */

/* Write what the terminal takes.  Gives up at a signal, which
 * terminal_wait() then finds. */
static void
terminal_write(const struct terminal *terminal, const char *text, size_t len)
{
	struct pollfd fds[2] = { { .fd = terminal->out, .events = POLLOUT },
		{ .fd = terminal->signals, .events = POLLIN } };

	while (len > 0) {
		ssize_t n = write(terminal->out, text, len);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
			continue;
		}
		if (n == -1 && errno == EINTR)
			continue;
		if (errno != EAGAIN || poll(fds, 2, -1) == -1 ||
		    fds[0].revents != POLLOUT)
			return;
	}
}

static void
terminal_puts(const struct terminal *terminal, const char *text)
{
	terminal_write(terminal, text, strlen(text));
}

static void
terminal_measure(struct terminal *terminal)
{
	struct winsize size;

	terminal->rows = TERMINAL_ROWS;
	if (ioctl(terminal->out, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
		terminal->rows = size.ws_row;
}

static void
terminal_enter(struct terminal *terminal)
{
	struct termios keys = terminal->before;

	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	if (terminal->has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	terminal_puts(terminal, TERMINAL_ENTER);
	terminal_measure(terminal);
}

/* Output that Ctrl-S has stopped goes on, or the terminal would stay as it is. */
static void
terminal_leave(struct terminal *terminal)
{
	tcflow(terminal->out, TCOON);
	terminal_puts(terminal, TERMINAL_LEAVE);
	if (terminal->has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
}

/* The signals that become events. */
static void
terminal_signals(sigset_t *signals)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP,
		SIGWINCH };

	sigemptyset(signals);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		sigaddset(signals, all[i]);
}

bool
terminal_open(struct terminal *terminal, char error[TERMINAL_ERROR_MAX])
{
	const char *kind = getenv("TERM");
	sigset_t signals;

	memset(terminal, 0, sizeof(*terminal));
	if (!isatty(STDOUT_FILENO) || kind == NULL ||
	    strcmp(kind, "dumb") == 0) {
		snprintf(error, TERMINAL_ERROR_MAX,
		    isatty(STDOUT_FILENO) ? "TERM names no terminal that can "
					    "be drawn on"
					  : "standard output is no terminal");
		return false;
	}
	/* Not to block in a write, and not to set that for whoever shares
	 * standard output. */
	terminal->out = open(
	    "/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (terminal->out == -1) {
		snprintf(error, TERMINAL_ERROR_MAX, "the terminal: %s",
		    strerror(errno));
		return false;
	}
	terminal_signals(&signals);
	terminal->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (terminal->signals == -1) {
		snprintf(
		    error, TERMINAL_ERROR_MAX, "signals: %s", strerror(errno));
		close(terminal->out);
		return false;
	}
	sigprocmask(SIG_BLOCK, &signals, NULL);
	terminal->has_keys = tcgetattr(STDIN_FILENO, &terminal->before) == 0;
	buf_init(&terminal->frame);
	terminal_enter(terminal);
	return true;
}

void
terminal_close(struct terminal *terminal)
{
	sigset_t signals;

	terminal_leave(terminal);
	close(terminal->out);
	close(terminal->signals);
	buf_fini(&terminal->frame);
	/* What has come meanwhile is what we leave for. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	terminal_signals(&signals);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

void
terminal_show(struct terminal *terminal, const struct buf *lines)
{
	struct buf *frame = &terminal->frame;
	const char *at = lines->at, *end = lines->at + lines->len;

	buf_reset(frame);
	buf_puts(frame, TERMINAL_HOME);
	for (unsigned row = 0; at < end && row < terminal->rows; row++) {
		size_t len = (size_t)(end - at);
		const char *newline = memchr(at, '\n', len);

		if (newline != NULL)
			len = (size_t)(newline - at);
		buf_puts(frame, row == 0 ? "" : "\r\n");
		buf_add(frame, at, len);
		buf_puts(frame, TERMINAL_LINE_END);
		at += len + 1;
	}
	buf_puts(frame, TERMINAL_BELOW_END);
	terminal_write(terminal, frame->at, frame->len);
}

/* Ctrl-Z: stop as one would have, with the terminal as it was. */
static void
terminal_stop(struct terminal *terminal)
{
	terminal_leave(terminal);
	raise(SIGSTOP);
	terminal_enter(terminal);
}

static enum terminal_event
terminal_signalled(struct terminal *terminal)
{
	struct signalfd_siginfo info;

	if (read(terminal->signals, &info, sizeof(info)) != sizeof(info))
		return TERMINAL_REDRAW;
	if (info.ssi_signo == SIGTSTP)
		terminal_stop(terminal);
	else if (info.ssi_signo != SIGWINCH)
		return TERMINAL_QUIT;
	terminal_measure(terminal);
	return TERMINAL_REDRAW;
}

static enum terminal_event
terminal_key(void)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return TERMINAL_REDRAW;
	return n == 1 && key != 'q' && key != 'Q' ? TERMINAL_REDRAW
	                                          : TERMINAL_QUIT;
}

enum terminal_event
terminal_wait(struct terminal *terminal, uint64_t deadline_ms)
{
	struct pollfd fds[2] = { { .fd = terminal->signals, .events = POLLIN },
		{ .fd = terminal->has_keys ? STDIN_FILENO : -1,
		    .events = POLLIN } };
	uint64_t now = clock_monotonic_ms();
	int n = poll(fds, 2, deadline_ms > now ? (int)(deadline_ms - now) : 0);

	if (n == -1)
		return TERMINAL_REDRAW;
	if (n == 0)
		return TERMINAL_DUE;
	if (fds[0].revents != 0)
		return terminal_signalled(terminal);
	return terminal_key();
}
