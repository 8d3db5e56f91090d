/* SPDX-License-Identifier: MIT */
/* parcel.c - see parcel.h. */

#include "worker/handover/parcel.h"

#include "common/bug.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* In front of the bytes; the descriptors come with its first byte. */
struct parcel_head {
	uint32_t len; /* of the bytes */
	uint32_t kind;
	uint32_t fds_count;
	uint32_t check; /* the three above and PARCEL_MARK, xor-ed */
};

#define PARCEL_MARK 0x70756273u

/* Bytes taken into memory at once: no more is allocated than has come. */
#define PARCEL_PIECE (1024u * 1024)

/* Room for the descriptors of one message, aligned for its header. */
union parcel_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(PARCEL_FDS_MAX * sizeof(int))];
};

static uint32_t
parcel_check(const struct parcel_head *head)
{
	return head->len ^ head->kind ^ head->fds_count ^ PARCEL_MARK;
}

/* What a call that failed says of the other side. */
static enum parcel_status
parcel_failure(void)
{
	return errno == EPIPE || errno == ECONNRESET ? PARCEL_GONE
	                                             : PARCEL_FAILED;
}

static enum parcel_status
parcel_write(int socket, const char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = send(socket, at, len, MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return parcel_failure();
		at += n;
		len -= (size_t)n;
	}
	return PARCEL_OK;
}

/* Put descriptors into the message. */
static void
parcel_put_fds(struct msghdr *msg, union parcel_control *control,
    const int *fds, uint32_t count)
{
	struct cmsghdr *cmsg = &control->align;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(count * sizeof(int));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
}

/* Send as much as the kernel takes at once, with the descriptors, which go with the
 * first byte.  Sets *sent to the bytes that it took. */
static enum parcel_status
parcel_send_first(int socket, struct parcel_head *head, const struct buf *body,
    const int *fds, size_t *sent)
{
	union parcel_control control;
	struct iovec iov[] = {
		{ .iov_base = head, .iov_len = sizeof(*head) },
		{ .iov_base = body->at, .iov_len = body->len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (head->fds_count > 0)
		parcel_put_fds(&msg, &control, fds, head->fds_count);
	do
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return parcel_failure();
	*sent = (size_t)n;
	return PARCEL_OK;
}

enum parcel_status
parcel_send(int socket, uint32_t kind, const struct buf *body, const int *fds,
    uint32_t fds_count)
{
	struct parcel_head head = {
		.len = (uint32_t)body->len,
		.kind = kind,
		.fds_count = fds_count,
	};
	enum parcel_status status;
	size_t sent = sizeof(head);

	CHECK(body->len <= PARCEL_LEN_MAX && fds_count <= PARCEL_FDS_MAX);
	head.check = parcel_check(&head);
	status = parcel_send_first(socket, &head, body, fds, &sent);
	if (status == PARCEL_OK && sent < sizeof(head)) {
		status = parcel_write(
		    socket, (const char *)&head + sent, sizeof(head) - sent);
		sent = sizeof(head);
	}
	sent -= sizeof(head);
	if (status != PARCEL_OK || sent == body->len)
		return status;
	return parcel_write(socket, body->at + sent, body->len - sent);
}

/* Take the descriptors out of a message.  Returns false if there is anything
 * else, or more than a parcel has. */
static bool
parcel_take_fds(struct parcel *parcel, struct msghdr *msg)
{
	bool ok = (msg->msg_flags & MSG_CTRUNC) == 0;
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS ||
		    n > PARCEL_FDS_MAX - parcel->fds_count)
			return false;
		memcpy(parcel->fds + parcel->fds_count, CMSG_DATA(cmsg),
		    n * sizeof(int));
		parcel->fds_count += (uint32_t)n;
	}
	return ok;
}

/* Some bytes, and descriptors that come with them into an empty parcel; without
 * a parcel there must be none.  Returns PARCEL_OK with *n > 0 bytes. */
static enum parcel_status
parcel_read(int socket, char *at, size_t len, struct parcel *parcel, size_t *n)
{
	union parcel_control control;
	struct iovec iov = { .iov_base = at, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t got;

	if (parcel != NULL) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	do
		got = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return parcel_failure();
	if (parcel != NULL && !parcel_take_fds(parcel, &msg))
		return PARCEL_BROKEN;
	if (parcel == NULL && msg.msg_flags & MSG_CTRUNC)
		return PARCEL_BROKEN; /* the kernel has closed them */
	*n = (size_t)got;
	return got == 0 ? PARCEL_GONE : PARCEL_OK;
}

static enum parcel_status
parcel_receive_head(int socket, struct parcel *parcel, struct parcel_head *head)
{
	enum parcel_status status;
	size_t had = 0, n;

	do {
		/* Once there is a part, what is left has no descriptors. */
		status = parcel_read(socket, (char *)head + had,
		    sizeof(*head) - had, had == 0 ? parcel : NULL, &n);
		if (status != PARCEL_OK)
			return status;
		had += n;
	} while (had < sizeof(*head));
	if (head->check != parcel_check(head) || head->len > PARCEL_LEN_MAX ||
	    head->fds_count != parcel->fds_count)
		return PARCEL_BROKEN;
	parcel->kind = head->kind;
	return PARCEL_OK;
}

static enum parcel_status
parcel_receive_body(int socket, struct buf *body, size_t len)
{
	enum parcel_status status;
	size_t n;

	buf_reset(body);
	while (body->len < len) {
		size_t left = len - body->len;
		size_t piece = left < PARCEL_PIECE ? left : PARCEL_PIECE;

		status =
		    parcel_read(socket, buf_room(body, piece), piece, NULL, &n);
		if (status != PARCEL_OK)
			return status;
		body->len += n;
	}
	return PARCEL_OK;
}

enum parcel_status
parcel_receive(int socket, struct parcel *parcel, struct buf *body)
{
	enum parcel_status status;
	struct parcel_head head;

	parcel->fds_count = 0;
	status = parcel_receive_head(socket, parcel, &head);
	if (status == PARCEL_OK)
		status = parcel_receive_body(socket, body, head.len);
	if (status != PARCEL_OK)
		parcel_close(parcel);
	return status;
}

void
parcel_close(struct parcel *parcel)
{
	while (parcel->fds_count > 0)
		close(parcel->fds[--parcel->fds_count]);
}
