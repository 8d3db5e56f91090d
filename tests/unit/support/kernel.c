/* SPDX-License-Identifier: MIT */
/* kernel.c - see kernel.h. */

#include "tests/unit/support/kernel.h"

#include "worker/net/flush.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int fd; /* of the slow connection; -1: none */
	size_t room;
} kernel = { .fd = -1 };

/* As much of len as there is room for.  Returns false if there is none. */
static bool
kernel_takes(int fd, size_t *len)
{
	if (fd != kernel.fd)
		return true;
	if (kernel.room == 0) {
		errno = EAGAIN;
		return false;
	}
	if (*len > kernel.room)
		*len = kernel.room;
	kernel.room -= *len;
	return true;
}

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	if (!kernel_takes(fd, &len))
		return -1;
	return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec iov[FLUSH_IOV_MAX];
	struct msghdr part = *msg; /* with the descriptors that it carries */
	size_t len = 0, left;

	part.msg_iov = iov;
	part.msg_iovlen = 0;
	for (size_t i = 0; i < msg->msg_iovlen; i++)
		len += msg->msg_iov[i].iov_len;
	if (!kernel_takes(fd, &len))
		return -1;
	for (left = len; left > 0; part.msg_iovlen++) {
		struct iovec *piece = &iov[part.msg_iovlen];

		*piece = msg->msg_iov[part.msg_iovlen];
		if (piece->iov_len > left)
			piece->iov_len = left;
		left -= piece->iov_len;
	}
	return syscall(SYS_sendmsg, fd, &part, flags);
}

int
kernel_setup(void **state)
{
	kernel_plays_no_part();
	return crew_setup(state);
}

void
kernel_plays_no_part(void)
{
	kernel.fd = -1;
}

void
kernel_has_room(struct peer *client, size_t bytes)
{
	kernel.fd = client->conn->io.fd;
	kernel.room = bytes;
}

void
kernel_has_room_again(struct crew *crew)
{
	kernel_plays_no_part();
	crew_run(crew);
}
