/* SPDX-License-Identifier: MIT */
/* pass_on.c - what is there before execve(2) and after it, for the same process or
 * for the nursery of a move; see state.h. */

#include "broker/supervisor/handover.h"
#include "broker/supervisor/state.h"
#include "common/log.h"

#include <fcntl.h>
#include <unistd.h>

/* Let what the next program takes over live on over execve(2), or not. */
static void
pass_on_keep(struct supervisor *s, bool keep)
{
	int flags = keep ? 0 : FD_CLOEXEC;

	listeners_keep_on_exec(&s->listeners, keep);
	listeners_keep_on_exec(&s->admin, keep);
	fcntl(s->lockfile.fd, F_SETFD, flags);
	fcntl(s->claim, F_SETFD, flags);
	if (s->logfile.path != NULL)
		fcntl(s->logfile.fd, F_SETFD, flags);
}

/* Have all live on over execve(2) that the next program gets, and tell it which is
 * which. */
void
supervisor_pass_on(struct supervisor *s, const struct handover_kept *kept)
{
	struct handover handover = {
		.lock_fd = s->lockfile.fd,
		.log_fd = s->logfile.path != NULL ? s->logfile.fd : -1,
		.listeners = s->listeners,
		.admin = s->admin,
		.claim = s->claim,
		.kept = *kept,
	};

	handover_put(&handover);
	pass_on_keep(s, true);
	handover_keep(kept, true);
}

void
supervisor_keep_back(struct supervisor *s, const struct handover_kept *kept)
{
	pass_on_keep(s, false);
	handover_keep(kept, false);
	handover_drop();
}

/* The pipe ends here: what the next program says before it has one of its own goes
 * to the file. */
void
supervisor_let_go_of_log(struct supervisor *s)
{
	logfile_carry(&s->logfile);
	if (s->args->background)
		dup2(s->logfile.fd, STDERR_FILENO);
}

/* In the child, whose descriptors are its own. */
_Noreturn void
supervisor_become_nursery(struct supervisor *s)
{
	struct handover_kept kept = s->move.kept;

	kept.is_nursery = true;
	for (unsigned slot = 0; slot < kept.workers; slot++)
		kept.successor[slot] = -1; /* those are for the supervisor */
	close(s->claim);
	s->claim = s->move.segment;
	supervisor_pass_on(s, &kept);
	execv(s->program, s->args->argv);
	log_error("cannot execute %s", s->program);
	_exit(EXIT_STATUS_FAILED);
}

_Noreturn void
supervisor_exec_moved(struct supervisor *s)
{
	close(s->claim);
	s->claim = s->move.segment;
	supervisor_let_go_of_log(s);
	supervisor_pass_on(s, &s->move.kept);
	if (s->move.program != -1)
		fexecve(s->move.program, s->args->argv, environ);
	execv(s->program, s->args->argv);
	/* The workers see that they have no supervisor, and drain. */
	log_error(
	    "the workers are moved, and %s cannot be executed", s->program);
	logfile_carry(&s->logfile);
	_exit(EXIT_STATUS_FAILED);
}
