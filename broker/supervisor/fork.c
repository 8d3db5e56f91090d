/* SPDX-License-Identifier: MIT */
/* fork.c - fork a worker, as the first of its slot or as the successor of
 * another; see state.h. */

#include "broker/supervisor/state.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Have the directory of --root: opened once, so that all workers serve the same
 * one, whatever is done to its name meanwhile.  If that failed, the next fork
 * tries again.
 */
bool
supervisor_open_root(struct supervisor *s)
{
	if (s->root == -1)
		s->root =
		    open(s->config->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->root != -1;
}

pid_t
supervisor_fork_worker(
    struct supervisor *s, unsigned slot, int asks, int *asked)
{
	struct supervisor_sockets sockets = { .asked = -1, .asks = asks };
	int pair[2];
	pid_t pid;

	*asked = -1;
	/* Without one it serves as well, but cannot be followed. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
		*asked = pair[0];
		sockets.asked = pair[1];
	}
	pid = fork();
	if (pid == 0)
		supervisor_become_worker(s, slot, &sockets);
	if (sockets.asked != -1)
		close(sockets.asked);
	if (pid == -1 && *asked != -1)
		close(*asked);
	return pid;
}
