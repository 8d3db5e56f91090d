/* SPDX-License-Identifier: MIT */
/* link.c - see link.h. */

#include "broker/bridge/link.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINK_SECOND    INT64_C(1000000000) /* nanoseconds */
#define LINK_BYTES_MAX (INT64_C(256) << 20)
#define LINK_AGE_MAX   (3600 * LINK_SECOND)
#define LINK_HEARTBEAT (LINK_SECOND / 2)
#define LINK_WRITE_MS  1000
#define LINK_PING_MS   1000
#define LINK_PINGS     2
#define LINK_RETRY_MS  100
#define LINK_NO_STREAM 10059 /* JetStream's code */

static bool
link_fail(char error[LINK_ERROR_MAX], const char *what, natsStatus status)
{
	const char *why = nats_GetLastError(NULL);

	snprintf(error, LINK_ERROR_MAX, "%s: %s%s%s", what,
	    natsStatus_GetText(status), why != NULL && why[0] ? ": " : "",
	    why != NULL ? why : "");
	return false;
}

/* What the pipe carries: a message, and what brought it.  A pipe takes so few
 * bytes whole. */
struct link_item {
	natsMsg *msg; /* NULL: only a look around */
	const natsSubscription *sub;
};

/* In a thread of libnats. */
static void
link_reconnected_cb(natsConnection *nc, void *arg)
{
	struct link_item none = { .msg = NULL };
	struct link *link = arg;
	ssize_t n;

	(void)nc;
	atomic_fetch_add(&link->reconnects, 1);
	n = write(link->pipe[1], &none, sizeof(none));
	(void)n;
}

static void
link_closed_cb(natsConnection *nc, void *arg)
{
	struct link *link = arg;

	(void)nc;
	atomic_store(&link->is_closed, true);
}

/* What goes wrong with a subscription shows by what does not come. */
static void
link_error_cb(
    natsConnection *nc, natsSubscription *sub, natsStatus err, void *arg)
{
	(void)nc;
	(void)sub;
	(void)err;
	(void)arg;
}

/* In a thread of libnats, one message at a time. */
static void
link_message_cb(
    natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct link_item item = { .msg = msg, .sub = sub };
	struct link *link = arg;

	(void)nc;
	/* A full one waits for its reader. */
	while (
	    write(link->pipe[1], &item, sizeof(item)) == -1 && errno == EINTR)
		continue;
}

/* How to find the servers, and how long to believe in one. */
static natsStatus
link_set_options(struct link *link, const struct link_options *o)
{
	natsOptions *n = link->options;
	natsStatus s = natsOptions_SetServers(
	    n, (const char **)(uintptr_t)o->servers, o->servers_count);

	if (s == NATS_OK)
		s = natsOptions_SetName(n, o->client);
	if (s == NATS_OK && o->creds != NULL)
		s = natsOptions_SetUserCredentialsFromFiles(n, o->creds, NULL);
	if (s == NATS_OK && o->tls_ca != NULL)
		s = natsOptions_SetSecure(n, true);
	if (s == NATS_OK && o->tls_ca != NULL)
		s = natsOptions_LoadCATrustedCertificates(n, o->tls_ca);
	if (s == NATS_OK)
		s = natsOptions_SetWriteDeadline(n, LINK_WRITE_MS);
	if (s == NATS_OK)
		s = natsOptions_SetPingInterval(n, LINK_PING_MS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxPingsOut(n, LINK_PINGS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxReconnect(n, -1);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectWait(n, LINK_RETRY_MS);
	/* Nothing is buffered: what was not sent is still in the ring. */
	if (s == NATS_OK)
		s = natsOptions_SetReconnectBufSize(n, 0);
	if (s == NATS_OK)
		s = natsOptions_SetTimeout(n, 2000);
	if (s == NATS_OK)
		s = natsOptions_SetSendAsap(n, true);
	if (s == NATS_OK)
		s = natsOptions_UseGlobalMessageDelivery(n, true);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectedCB(n, link_reconnected_cb, link);
	if (s == NATS_OK)
		s = natsOptions_SetClosedCB(n, link_closed_cb, link);
	if (s == NATS_OK)
		s = natsOptions_SetErrorHandler(n, link_error_cb, link);
	return s;
}

/* Of a link that could not be opened. */
static void
link_close(struct link *link)
{
	jsCtx_Destroy(link->js);
	natsConnection_Destroy(link->nc);
	natsOptions_Destroy(link->options);
	close(link->pipe[0]);
	close(link->pipe[1]);
	memset(link, 0, sizeof(*link));
}

bool
link_open(
    struct link *link, const struct link_options *o, char error[LINK_ERROR_MAX])
{
	jsOptions js;
	natsStatus s;

	memset(link, 0, sizeof(*link));
	snprintf(
	    link->subject, sizeof(link->subject), "pubsubd.%s.log", o->name);
	snprintf(link->stream, sizeof(link->stream), "pubsubd-%s", o->name);
	snprintf(
	    link->questions, sizeof(link->questions), "pubsubd.%s.q", o->name);
	if (pipe2(link->pipe, O_CLOEXEC) == -1)
		return link_fail(error, "pipe", NATS_NO_MEMORY);
	fcntl(link->pipe[0], F_SETFL, O_NONBLOCK);
	s = natsOptions_Create(&link->options);
	if (s == NATS_OK)
		s = link_set_options(link, o);
	if (s == NATS_OK)
		s = natsConnection_Connect(&link->nc, link->options);
	jsOptions_Init(&js);
	js.Wait = LINK_WAIT_MS;
	if (s == NATS_OK)
		s = natsConnection_JetStream(&link->js, link->nc, &js);
	if (s == NATS_OK)
		return true;
	link_fail(error, o->servers[0], s);
	link_close(link);
	return false;
}

bool
link_ask(struct link *link, struct link_stream *stream, bool *missing,
    char error[LINK_ERROR_MAX])
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus s =
	    js_GetStreamInfo(&info, link->js, link->stream, NULL, &code);

	*missing = s == NATS_NOT_FOUND || (int)code == LINK_NO_STREAM;
	if (s != NATS_OK) {
		link_fail(error, link->stream, s);
		return false;
	}
	*stream = (struct link_stream){
		.first = info->State.FirstSeq,
		.last = info->State.LastSeq,
		.bytes = info->State.Bytes,
		.messages = info->State.Msgs,
		.created_ns = info->Created,
		.replicas = (int)info->Config->Replicas,
		.is_file = info->Config->Storage == js_FileStorage,
	};
	jsStreamInfo_Destroy(info);
	return true;
}

bool
link_create(struct link *link, char error[LINK_ERROR_MAX])
{
	const char *subjects[] = { link->subject };
	jsStreamConfig config;
	jsErrCode code = 0;
	natsStatus s;

	jsStreamConfig_Init(&config);
	config.Name = link->stream;
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Storage = js_FileStorage;
	config.MaxBytes = LINK_BYTES_MAX;
	config.MaxAge = LINK_AGE_MAX;
	config.DenyDelete = true;
	config.Replicas = 3;
	s = js_AddStream(NULL, link->js, &config, NULL, &code);
	/* Only a server that is alone.  Of several some may not be there yet, and
	 * a log with one copy would stay so. */
	if (s != NATS_OK && code == JSStreamReplicasNotSupportedErr) {
		config.Replicas = 1;
		s = js_AddStream(NULL, link->js, &config, NULL, &code);
	}
	return s == NATS_OK || link_fail(error, link->stream, s);
}

bool
link_read(struct link *link, uint64_t from, char error[LINK_ERROR_MAX])
{
	jsSubOptions so;
	jsErrCode code = 0;
	natsStatus s;

	/* Left, and never freed: a thread of libnats may be about to use it, and
	 * a bridge that destroyed it died of SIGSEGV now and then (3.4). */
	if (link->sub != NULL)
		natsSubscription_Unsubscribe(link->sub);
	link->sub = NULL;
	jsSubOptions_Init(&so);
	so.Stream = link->stream;
	so.Ordered = true;
	so.Config.DeliverPolicy = js_DeliverByStartSequence;
	so.Config.OptStartSeq = from;
	so.Config.Heartbeat = LINK_HEARTBEAT;
	s = js_Subscribe(&link->sub, link->js, link->subject, link_message_cb,
	    link, NULL, &so, &code);
	if (s == NATS_OK)
		s = natsSubscription_SetPendingLimits(link->sub, -1, -1);
	return s == NATS_OK || link_fail(error, link->stream, s);
}

natsMsg *
link_next(struct link *link, uint64_t *number, uint64_t *behind)
{
	jsMsgMetaData *meta = NULL;
	struct link_item item;

	while (
	    read(link->pipe[0], &item, sizeof(item)) == (ssize_t)sizeof(item)) {
		if (item.msg == NULL)
			continue;
		/* A thread of libnats may be handing over the last message of a
		 * subscription while we leave it, and behind all that is there:
		 * what has another number than we expect would be taken for a
		 * loss of the log. */
		if (item.sub != link->sub ||
		    natsMsg_GetMetaData(&meta, item.msg) != NATS_OK) {
			natsMsg_Destroy(item.msg);
			continue;
		}
		*number = meta->Sequence.Stream;
		*behind = meta->NumPending;
		jsMsgMetaData_Destroy(meta);
		return item.msg;
	}
	return NULL;
}

bool
link_publish(struct link *link, const void *data, size_t len)
{
	return natsConnection_Publish(
		   link->nc, link->subject, data, (int)len) == NATS_OK;
}

bool
link_publish_stored(
    struct link *link, const void *data, size_t len, uint64_t *number)
{
	jsErrCode code = 0;
	jsPubAck *ack = NULL;

	if (js_Publish(&ack, link->js, link->subject, data, (int)len, NULL,
		&code) != NATS_OK)
		return false;
	*number = ack->Sequence;
	jsPubAck_Destroy(ack);
	return true;
}

bool
link_publish_behind(
    struct link *link, const void *data, size_t len, uint64_t last)
{
	natsMsg *msg = NULL, *answer = NULL;
	char number[24];
	natsStatus s;
	bool done = false;

	snprintf(number, sizeof(number), "%" PRIu64, last);
	s = natsMsg_Create(&msg, link->subject, NULL, data, (int)len);
	if (s == NATS_OK)
		s = natsMsgHeader_Set(
		    msg, "Nats-Expected-Last-Sequence", number);
	if (s == NATS_OK)
		s = natsConnection_RequestMsg(
		    &answer, link->nc, msg, LINK_WAIT_MS);
	if (s == NATS_OK)
		done = memmem(natsMsg_GetData(answer),
			   (size_t)natsMsg_GetDataLength(answer), "\"error\"",
			   7) == NULL;
	natsMsg_Destroy(answer);
	natsMsg_Destroy(msg);
	return done;
}

bool
link_is_up(const struct link *link)
{
	return natsConnection_Status(link->nc) == NATS_CONN_STATUS_CONNECTED;
}
