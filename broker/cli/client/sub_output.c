/* SPDX-License-Identifier: MIT */
/* sub_output.c - see output.h. */

#include "broker/cli/client/sub_output.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

void
output_init(struct output *output, int fd)
{
	*output = (struct output){ .fd = fd };
	buf_init(&output->buf);
}

void
output_fini(struct output *output)
{
	buf_fini(&output->buf);
}

size_t
output_waiting(const struct output *output)
{
	return output->buf.len - output->off;
}

void
output_poll(const struct output *output, struct pollfd *poll)
{
	*poll = (struct pollfd){
		.fd = output->state == OUTPUT_OK ? output->fd : -1,
		.events = output_waiting(output) > 0 ? POLLOUT : 0,
	};
}

/* Write once.  A pipe that is writable takes PIPE_BUF bytes without blocking,
 * and so does a socket. */
static void
output_write(struct output *output)
{
	size_t len = output_waiting(output);
	ssize_t n = write(output->fd, output->buf.at + output->off,
	    len < PIPE_BUF ? len : PIPE_BUF);

	if (n > 0) {
		output->off += (size_t)n;
	} else if (n == -1 && errno == EPIPE) {
		output->state = OUTPUT_GONE;
	} else if (n == -1 && errno != EAGAIN && errno != EINTR) {
		output->state = OUTPUT_FAILED;
		output->error = errno;
	}
	if (output_waiting(output) == 0) {
		buf_reset(&output->buf);
		output->off = 0;
	}
}

/* Whether it can be written now, without waiting. */
static bool
output_is_writable(const struct output *output)
{
	struct pollfd now = { .fd = output->fd, .events = POLLOUT };

	return poll(&now, 1, 0) == 1 && (now.revents & POLLOUT) != 0;
}

void
output_turn(struct output *output, short revents)
{
	if ((revents & (POLLERR | POLLHUP)) != 0)
		output->state = OUTPUT_GONE;
	while (output->state == OUTPUT_OK && output_waiting(output) > 0 &&
	       output_is_writable(output))
		output_write(output);
}
