/* SPDX-License-Identifier: MIT */
/* link_questions.c - questions between hosts, and answers; see link.h.
 *
 *	pubsubd.NAME.q			a question, to all
 *	pubsubd.NAME.q.ORIGIN		an answer, to the host that has asked
 */

#include "broker/bridge/link.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In a thread of libnats. */
static void
link_question_cb(
    natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct link *link = arg;
	ssize_t n;

	(void)nc;
	(void)sub;
	do
		n = write(link->questions_pipe[1], &msg, sizeof(msg));
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(msg))
		natsMsg_Destroy(msg);
}

static void
link_answer_subject(const struct link *link, uint64_t origin, char subject[112])
{
	snprintf(subject, 112, "%s.%016" PRIx64, link->questions, origin);
}

bool
link_hear_questions(
    struct link *link, uint64_t self, char error[LINK_ERROR_MAX])
{
	natsSubscription *sub = NULL;
	char subject[112];
	natsStatus s;

	if (pipe2(link->questions_pipe, O_CLOEXEC | O_NONBLOCK) == -1) {
		snprintf(error, LINK_ERROR_MAX, "pipe: %s", strerror(errno));
		return false;
	}
	link_answer_subject(link, self, subject);
	s = natsConnection_Subscribe(
	    &sub, link->nc, link->questions, link_question_cb, link);
	if (s == NATS_OK)
		s = natsConnection_Subscribe(
		    &sub, link->nc, subject, link_question_cb, link);
	if (s != NATS_OK)
		snprintf(error, LINK_ERROR_MAX, "%s: %s", link->questions,
		    natsStatus_GetText(s));
	return s == NATS_OK;
}

natsMsg *
link_next_question(struct link *link)
{
	natsMsg *msg;

	return read(link->questions_pipe[0], &msg, sizeof(msg)) ==
	               (ssize_t)sizeof(msg)
	           ? msg
	           : NULL;
}

bool
link_ask_hosts(struct link *link, const void *data, size_t len)
{
	return natsConnection_Publish(
		   link->nc, link->questions, data, (int)len) == NATS_OK;
}

bool
link_answer_host(
    struct link *link, uint64_t origin, const void *data, size_t len)
{
	char subject[112];

	link_answer_subject(link, origin, subject);
	return natsConnection_Publish(link->nc, subject, data, (int)len) ==
	       NATS_OK;
}
