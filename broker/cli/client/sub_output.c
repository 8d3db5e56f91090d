/* SPDX-License-Identifier: MIT */
/* sub_output.c - see sub_output.h. */

#include "broker/cli/client/sub_output.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

void
sub_output_init(struct sub_output *output, int fd)
{
	*output = (struct sub_output){ .fd = fd };
	buf_init(&output->buf);
}

void
sub_output_fini(struct sub_output *output)
{
	buf_fini(&output->buf);
}

size_t
sub_output_waiting(const struct sub_output *output)
{
	return output->buf.len - output->off;
}

void
sub_output_poll(const struct sub_output *output, struct pollfd *poll)
{
	*poll = (struct pollfd){
		.fd = output->state == SUB_OUTPUT_OK ? output->fd : -1,
		.events = sub_output_waiting(output) > 0 ? POLLOUT : 0,
	};
}

/* Write once.  A pipe that is writable takes PIPE_BUF bytes without blocking,
 * and so does a socket. */
static void
sub_output_write(struct sub_output *output)
{
	size_t len = sub_output_waiting(output);
	ssize_t n = write(output->fd, output->buf.at + output->off,
	    len < PIPE_BUF ? len : PIPE_BUF);

	if (n > 0) {
		output->off += (size_t)n;
	} else if (n == -1 && errno == EPIPE) {
		output->state = SUB_OUTPUT_GONE;
	} else if (n == -1 && errno != EAGAIN && errno != EINTR) {
		output->state = SUB_OUTPUT_FAILED;
		output->error = errno;
	}
	if (sub_output_waiting(output) == 0) {
		buf_reset(&output->buf);
		output->off = 0;
	}
}

/* Whether it can be written now, without waiting. */
static bool
sub_output_is_writable(const struct sub_output *output)
{
	struct pollfd now = { .fd = output->fd, .events = POLLOUT };

	return poll(&now, 1, 0) == 1 && (now.revents & POLLOUT) != 0;
}

void
sub_output_turn(struct sub_output *output, short revents)
{
	if ((revents & (POLLERR | POLLHUP)) != 0)
		output->state = SUB_OUTPUT_GONE;
	while (output->state == SUB_OUTPUT_OK &&
	       sub_output_waiting(output) > 0 && sub_output_is_writable(output))
		sub_output_write(output);
}
