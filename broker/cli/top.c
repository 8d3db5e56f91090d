/* SPDX-License-Identifier: MIT */
/* top.c - see top.h. */

#include "broker/cli/top.h"

#include "broker/cli/absent.h"
#include "broker/cli/instance.h"
#include "broker/cli/terminal.h"
#include "broker/cli/top_screen.h"
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

struct top {
	const struct cli *cli;
	struct segment seg; /* of the last look */
	bool has_seg;
	struct look looks[2];
	int now; /* the last of them; the other is the one before */
	struct buf text;
	char error[INSTANCE_ERROR_MAX];
};

/* What came of a look. */
enum top_seen {
	TOP_SEEN = 0,
	TOP_UNREADABLE,  /* not at the moment; why is in error */
	TOP_NOT_RUNNING, /* nobody is there */
};

static void
top_init(struct top *top, const struct cli *cli)
{
	top->cli = cli;
	top->has_seg = false;
	top->now = 0;
	look_init(&top->looks[0]);
	look_init(&top->looks[1]);
	buf_init(&top->text);
}

static void
top_fini(struct top *top)
{
	if (top->has_seg)
		segment_close(&top->seg);
	look_fini(&top->looks[0]);
	look_fini(&top->looks[1]);
	buf_fini(&top->text);
}

/* Look anew, also for the segment: the server may have another by now. */
static enum top_seen
top_look(struct top *top)
{
	const struct config *config = &top->cli->config;
	struct lockfile_holders holders;

	if (top->has_seg)
		segment_close(&top->seg);
	top->has_seg = false;
	if (!lockfile_look(config->lockfile, &holders, top->error))
		return TOP_UNREADABLE;
	if (holders.supervisor == 0)
		return TOP_NOT_RUNNING;
	top->has_seg =
	    instance_attach(&top->seg, config->name, &holders, top->error);
	if (!top->has_seg)
		return TOP_UNREADABLE;
	top->now = !top->now;
	look_take(&top->looks[top->now], &top->seg);
	return TOP_SEEN;
}

/* Put the last look into text, or why there is none. */
static void
top_draw(struct top *top, unsigned rows)
{
	struct top_view view = {
		.instance = top->cli->config.name,
		.seg = &top->seg,
		.now = &top->looks[top->now],
		.before = &top->looks[!top->now],
		.rows = rows,
	};

	buf_reset(&top->text);
	if (top->has_seg)
		top_screen_put(&top->text, &view);
	else
		buf_printf(&top->text, "%s %s\n", view.instance, top->error);
}

/* Say why there was nothing to be seen. */
static enum exit_status
top_report(const struct top *top, enum top_seen seen)
{
	if (seen == TOP_NOT_RUNNING)
		return cli_not_running(top->cli, "");
	return report_failure(
	    EXIT_STATUS_FAILED, "%s %s", top->cli->config.name, top->error);
}

static enum exit_status
top_once(struct top *top)
{
	uint32_t ms = top->cli->looking.interval_ms;
	struct timespec interval = { .tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000 };
	enum top_seen seen = top_look(top);

	if (seen == TOP_SEEN) {
		nanosleep(&interval, NULL);
		seen = top_look(top);
	}
	if (seen != TOP_SEEN)
		return top_report(top, seen);
	top_draw(top, 0);
	fwrite(top->text.at, 1, top->text.len, stdout);
	return report_printed();
}

/* Draw, beginning with the look there has been, until it is told to quit or the
 * server is gone. */
static enum top_seen
top_watch(struct top *top, struct terminal *terminal)
{
	uint64_t due = clock_monotonic_ms() + top->cli->looking.interval_ms;
	enum terminal_event event = TERMINAL_REDRAW;

	while (event != TERMINAL_QUIT) {
		if (event == TERMINAL_DUE) {
			enum top_seen seen = top_look(top);

			if (seen == TOP_NOT_RUNNING)
				return seen;
			due = clock_monotonic_ms() +
			      top->cli->looking.interval_ms;
		}
		top_draw(top, terminal->rows);
		terminal_show(terminal, &top->text);
		event = terminal_wait(terminal, due);
	}
	return TOP_SEEN;
}

static enum exit_status
top_run(struct top *top)
{
	char error[TERMINAL_ERROR_MAX];
	struct terminal terminal;
	enum top_seen seen = top_look(top);

	/* Nothing is drawn for what is not there to begin with. */
	if (seen != TOP_SEEN)
		return top_report(top, seen);
	if (!terminal_open(&terminal, error))
		return report_failure(
		    EXIT_STATUS_USAGE, "top: %s: use --once", error);
	seen = top_watch(top, &terminal);
	terminal_close(&terminal);
	return seen == TOP_SEEN ? EXIT_STATUS_OK : top_report(top, seen);
}

enum exit_status
cli_top(const struct cli *cli)
{
	enum exit_status status;
	struct top top;

	top_init(&top, cli);
	status = cli->looking.is_once ? top_once(&top) : top_run(&top);
	top_fini(&top);
	return status;
}
