/* SPDX-License-Identifier: MIT */
/* asking.c - see asking.h. */

#include "broker/cli/asking.h"

#include "broker/cli/absent.h"
#include "broker/cli/instance.h"
#include "broker/host/process.h"
#include "broker/status/overview.h"
#include "common/clock.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ASKING_SLOT_MS  3000 /* for which it waits for a slot */
#define ASKING_SLEEP_NS 200000

static void
asking_sleep(void)
{
	const struct timespec moment = { 0, ASKING_SLEEP_NS };

	nanosleep(&moment, NULL);
}

/* Take (F_WRLCK) or give back (F_UNLCK) a command's slot. */
static bool
asking_lock(const struct asking *asking, unsigned asker, short how)
{
	struct flock lock = { .l_type = how,
		.l_whence = SEEK_SET,
		.l_start = (off_t)asker,
		.l_len = 1 };

	return fcntl(asking->fd, F_SETLK, &lock) == 0;
}

/* Take one that no other command has; the lock ends with us.  What a dead command
 * asked is taken back, or workers would keep their answers for it. */
static bool
asking_try_slots(struct asking *asking)
{
	asking->asker = LAYOUT_ASKERS;
	for (unsigned a = LAYOUT_WORKERS; a < LAYOUT_ASKERS; a++) {
		if (!asking_lock(asking, a, F_WRLCK))
			continue;
		ask_end(&asking->seg, a);
		if (asking->asker == LAYOUT_ASKERS)
			asking->asker = a;
		else
			asking_lock(asking, a, F_UNLCK);
	}
	return asking->asker != LAYOUT_ASKERS;
}

static bool
asking_take_slot(struct asking *asking)
{
	uint64_t until = clock_monotonic_ms() + ASKING_SLOT_MS;

	while (!asking_try_slots(asking)) {
		if (clock_monotonic_ms() >= until)
			return false;
		asking_sleep();
	}
	return true;
}

/* Map the segment of the server that was found, to write. */
static enum exit_status
asking_attach(struct asking *asking, const struct lockfile_holders *holders)
{
	const char *name = asking->cli->config.name;
	char error[INSTANCE_ERROR_MAX];
	struct segment seen;
	bool is_same;

	if (!instance_attach(&seen, name, holders, error))
		return report_failure(EXIT_STATUS_FAILED, "%s %s", name, error);
	if (segment_attach_keeping(&asking->seg, name, &asking->fd, error) !=
	    SEGMENT_OK) {
		segment_close(&seen);
		return report_failure(
		    EXIT_STATUS_FAILED, "%s cannot be asked: %s", name, error);
	}
	is_same = strcmp(seen.header->epoch, asking->seg.header->epoch) == 0;
	segment_close(&seen);
	if (is_same)
		return EXIT_STATUS_OK;
	return report_failure(EXIT_STATUS_FAILED,
	    "%s cannot be asked: its shared memory has lost its name", name);
}

enum exit_status
asking_open(struct asking *asking, const struct cli *cli)
{
	struct lockfile_holders holders;
	char error[LOCKFILE_ERROR_MAX];
	enum exit_status status;

	memset(asking, 0, sizeof(*asking));
	asking->cli = cli;
	asking->fd = -1;
	asking->pidfd =
	    lockfile_open_holder(cli->config.lockfile, &holders, error);
	if (asking->pidfd == -1 && error[0] != '\0')
		return report_failure(EXIT_STATUS_FAILED,
		    "%s is out of reach: %s", cli->config.name, error);
	if (asking->pidfd == -1 || holders.supervisor == 0) {
		asking_close(asking);
		return cli_not_running(cli, "");
	}
	status = asking_attach(asking, &holders);
	if (status == EXIT_STATUS_OK && !asking_take_slot(asking))
		status = report_failure(EXIT_STATUS_FAILED,
		    "%s is asked by %u other commands: try again",
		    cli->config.name, LAYOUT_ASK_COMMANDS);
	if (status != EXIT_STATUS_OK)
		asking_close(asking);
	else
		asking->text = xmalloc(ASK_TEXT_MAX);
	return status;
}

void
asking_close(struct asking *asking)
{
	if (asking->text != NULL)
		ask_end(&asking->seg, asking->asker);
	free(asking->text);
	segment_close(&asking->seg);
	if (asking->fd != -1)
		close(asking->fd);
	if (asking->pidfd != -1)
		close(asking->pidfd);
	memset(asking, 0, sizeof(*asking));
	asking->fd = asking->pidfd = -1;
}

/* The workers of these that serve; pids is filled in for them. */
static uint64_t
asking_those_up(
    const struct asking *asking, uint64_t targets, int pids[LAYOUT_WORKERS])
{
	unsigned workers = segment_workers(&asking->seg);
	uint64_t up = 0;

	for (unsigned slot = 0; slot < workers; slot++) {
		struct overview_worker worker =
		    overview_worker(&asking->seg, slot);

		pids[slot] = worker.pid;
		if (worker.is_up)
			up |= UINT64_C(1) << slot;
	}
	return up & targets;
}

/* Whether the worker that was asked is there no more. */
static bool
asking_is_gone(const struct asking *asking, unsigned slot, int pid)
{
	struct overview_worker worker = overview_worker(&asking->seg, slot);

	return worker.pid != pid || !worker.is_up;
}

/* Put the question to these workers and hand on what they answer. below[w] is
 * where to go on, 0: nowhere.  Returns those that have not answered. */
static uint64_t
asking_page(struct asking *asking, const struct ask_question *question,
    uint64_t targets, uint64_t below[LAYOUT_WORKERS], asking_answer_fn *answer,
    void *owner)
{
	uint64_t until = clock_monotonic_ms() + ASKING_PATIENCE_MS, left, id;
	int pids[LAYOUT_WORKERS];
	struct ask_head head;

	left = asking_those_up(asking, targets, pids);
	id = ask_put(&asking->seg, asking->asker, question, left);
	process_signal(asking->pidfd, SIGURG);
	for (;;) {
		for (unsigned w = 0; w < LAYOUT_WORKERS; w++) {
			uint64_t bit = UINT64_C(1) << w;

			if ((left & bit) == 0)
				continue;
			if (ask_take(&asking->seg, asking->asker, w, id, &head,
				asking->text)) {
				left &= ~bit;
				below[w] = head.below;
				answer(owner, w, &head, asking->text);
			} else if (asking_is_gone(asking, w, pids[w])) {
				left &= ~bit;
			}
		}
		if (left == 0 || clock_monotonic_ms() >= until)
			return left;
		asking_sleep();
	}
}

static void
asking_tell_hung(struct asking *asking, uint64_t hung)
{
	for (unsigned w = 0; w < LAYOUT_WORKERS; w++) {
		if ((hung >> w & 1) == 0)
			continue;
		asking->hung++;
		report_note("worker %u (pid %d) hangs: it has not answered "
			    "within %u ms",
		    w, overview_worker(&asking->seg, w).pid,
		    ASKING_PATIENCE_MS);
	}
}

void
asking_ask(struct asking *asking, struct ask_question *question,
    uint64_t targets, asking_answer_fn *answer, void *owner)
{
	uint64_t below[LAYOUT_WORKERS] = { 0 };

	question->below = UINT64_MAX;
	asking_tell_hung(asking,
	    asking_page(asking, question, targets, below, answer, owner));
	for (unsigned w = 0; w < LAYOUT_WORKERS; w++)
		while ((question->below = below[w]) != 0) {
			below[w] = 0;
			asking_tell_hung(asking,
			    asking_page(asking, question, UINT64_C(1) << w,
				below, answer, owner));
		}
}
