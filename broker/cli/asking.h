/* SPDX-License-Identifier: MIT */
/*
 * asking.h - a command asks the workers of a server of this host (ask.h).
 *
 * The supervisor rings their doorbells, by a signal.  A worker that does not
 * answer within ASKING_PATIENCE_MS hangs: that is said, and the others are asked
 * all the same.
 */

#ifndef BROKER_CLI_ASKING_H
#define BROKER_CLI_ASKING_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"
#include "broker/shared/ask.h"

#include <stdbool.h>
#include <stdint.h>

/* Longer than a beat, so that an answer comes even without a doorbell. */
#define ASKING_PATIENCE_MS 900u

struct asking {
	const struct cli *cli;
	struct segment seg;
	int fd;         /* of the segment; holds the lock of our slot */
	int pidfd;      /* of the supervisor */
	unsigned asker; /* our slot */
	char *text;     /* owned; of an answer */
	unsigned hung;  /* workers that have not answered */
};

/*
 * Find the server and take a slot.
 * Blocks:  some seconds while all slots are taken.
 * Returns: EXIT_STATUS_OK, or how to end, having said why.
 * Owns:    the caller, asking_close().
 */
enum exit_status asking_open(struct asking *asking, const struct cli *cli);
void asking_close(struct asking *asking);

/* An answer, or a page of one; text is borrowed. */
typedef void asking_answer_fn(
    void *owner, unsigned worker, const struct ask_head *head, char *text);

/*
 * Ask these workers (a bit each; those that are not up are left out) until each
 * has answered in full.  Those that hang are told on standard error and counted
 * in asking->hung.
 */
void asking_ask(struct asking *asking, struct ask_question *question,
    uint64_t targets, asking_answer_fn *answer, void *owner);

#endif
