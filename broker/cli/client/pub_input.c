/* SPDX-License-Identifier: MIT */
/* pub_input.c - see pub_input.h. */

#include "broker/cli/client/pub_input.h"

#include "broker/host/report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PUB_INPUT_READ (64u * 1024) /* bytes at once */

void
pub_input_init_text(struct pub_input *input, const char *text)
{
	*input = (struct pub_input){ .fd = -1, .is_whole = true };
	buf_init(&input->buf);
	buf_puts(&input->buf, text);
}

void
pub_input_init_fd(struct pub_input *input, int fd, bool is_whole)
{
	*input = (struct pub_input){ .fd = fd, .is_whole = is_whole };
	buf_init(&input->buf);
}

void
pub_input_fini(struct pub_input *input)
{
	buf_fini(&input->buf);
}

void
pub_input_hint(const struct pub_input *input)
{
	if (isatty(input->fd))
		report_note("%s; Ctrl-D ends",
		    input->is_whole ? "all that follows is one message"
				    : "each line is a message");
}

/* Find the end of the next message: *len without, *taken with its newline. */
static bool
pub_input_find(struct pub_input *input, size_t *len, size_t *taken)
{
	size_t left = input->buf.len - input->start;
	const char *newline = NULL;

	if (!input->is_whole && input->scanned < input->buf.len)
		newline = memchr(input->buf.at + input->scanned, '\n',
		    input->buf.len - input->scanned);
	if (newline != NULL) {
		*len = (size_t)(newline - input->buf.at) - input->start;
		*taken = *len + 1;
		return true;
	}
	input->scanned = input->buf.len;
	*len = *taken = left;
	return input->fd == -1 && (left > 0 || input->is_whole);
}

enum pub_input_status
pub_input_next(
    struct pub_input *input, size_t max, const char **text, size_t *len)
{
	bool is_found;
	size_t taken;

	if (input->has_ended)
		return PUB_INPUT_END;
	is_found = pub_input_find(input, len, &taken);
	if (*len > max)
		return PUB_INPUT_TOO_LONG;
	if (!is_found) {
		input->has_ended = input->fd == -1;
		return input->has_ended ? PUB_INPUT_END : PUB_INPUT_MORE;
	}
	*text = input->buf.len > 0 ? input->buf.at + input->start : "";
	input->start += taken;
	input->scanned = input->start;
	input->has_ended = input->is_whole;
	return PUB_INPUT_MESSAGE;
}

void
pub_input_read(struct pub_input *input)
{
	struct buf *buf = &input->buf;
	ssize_t n;

	if (input->start > 0) {
		memmove(
		    buf->at, buf->at + input->start, buf->len - input->start);
		buf->len -= input->start;
		input->scanned -= input->start;
		input->start = 0;
	}
	n = read(input->fd, buf_room(buf, PUB_INPUT_READ), PUB_INPUT_READ);
	if (n > 0) {
		buf->len += (size_t)n;
	} else if (n == 0) {
		input->fd = -1;
	} else if (errno != EINTR && errno != EAGAIN) {
		/* After this, the bytes so far may not be a whole line. */
		input->error = errno;
		input->fd = -1;
		input->has_ended = true;
	}
}
