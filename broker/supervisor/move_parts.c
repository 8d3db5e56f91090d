/* SPDX-License-Identifier: MIT */
/* move_parts.c - what the workers to come of a move share with their supervisor; see
 * state.h.  It is made by this process, so that it has it when it is the program that
 * they run. */

#include "broker/supervisor/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void
move_close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* Close what was made for the successors. */
void
supervisor_move_close(struct supervisor *s)
{
	struct supervisor_move *m = &s->move;

	for (unsigned slot = 0; slot < m->kept.workers; slot++) {
		move_close_fd(&m->kept.doorbell[slot]);
		move_close_fd(&m->kept.successor[slot]);
		move_close_fd(&m->kept.asked[slot]);
	}
	for (unsigned i = 0; i < HANDOVER_STORES; i++)
		move_close_fd(&m->kept.store[i]);
	move_close_fd(&m->kept.state_fd);
	move_close_fd(&m->segment);
	move_close_fd(&m->program);
}

/* Nothing is open yet. */
void
supervisor_move_init(struct supervisor *s)
{
	struct supervisor_move *m = &s->move;

	*m = (struct supervisor_move){ .segment = -1, .program = -1 };
	m->kept = (struct handover_kept){
		.workers = s->config->workers,
		.life = { s->life[0], s->life[1] },
		.state_fd = -1,
		.log = { s->logfile.reader, s->logfile.writer },
		.bridge = -1,
		.page = s->page_fd,
	};
	for (unsigned i = 0; i < HANDOVER_STORES; i++)
		m->kept.store[i] = -1;
	for (unsigned slot = 0; slot < m->kept.workers; slot++) {
		m->kept.doorbell[slot] = -1;
		m->kept.successor[slot] = m->kept.asked[slot] = -1;
		m->kept.predecessor[slot] = s->child[slot].asks;
	}
}

/* What a worker has of its own. */
static bool
move_open_slot(struct handover_kept *kept, unsigned slot)
{
	int pair[2];

	kept->doorbell[slot] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (kept->doorbell[slot] == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return false;
	kept->successor[slot] = pair[0];
	kept->asked[slot] = pair[1];
	return true;
}

/* Make what the workers to come share with their supervisor, so that this process
 * has it when it is the program that they run. */
bool
supervisor_move_open(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	struct handover_kept *kept = &s->move.kept;
	bool ok;

	kept->state_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ok = kept->state_fd != -1;
	for (unsigned i = 0; ok && i < HANDOVER_STORES; i++) {
		kept->store[i] = memfd_create("pubsubd", MFD_CLOEXEC);
		ok = kept->store[i] != -1;
	}
	for (unsigned slot = 0; ok && slot < kept->workers; slot++)
		ok = move_open_slot(kept, slot);
	if (!ok) {
		snprintf(error, SEGMENT_ERROR_MAX,
		    "cannot open descriptors: %s", strerror(errno));
		return false;
	}
	s->move.segment = segment_open_next(s->config->name, error);
	return s->move.segment != -1;
}
