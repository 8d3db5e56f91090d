/* SPDX-License-Identifier: MIT */
/* host_message.c - see host_message.h. */

#include "broker/cluster/host_message.h"

#include "broker/cluster/numbers.h"
#include "common/buf.h"

#include <string.h>

#define HOST_MAGIC "psq1"

void
host_message_write(struct buf *out, const struct host_message *message)
{
	char *at = buf_room(out, HOST_MESSAGE_HEAD);

	memset(at, 0, HOST_MESSAGE_HEAD);
	memcpy(at, HOST_MAGIC, 4);
	at[4] = (char)message->kind;
	put_u64(at + 8, message->origin);
	put_u64(at + 16, message->number);
	out->len += HOST_MESSAGE_HEAD;
}

bool
host_message_read(const void *data, size_t len, struct host_message *message)
{
	const char *at = data;

	if (len < HOST_MESSAGE_HEAD || memcmp(at, HOST_MAGIC, 4) != 0)
		return false;
	*message = (struct host_message){
		.kind = (enum host_message_kind)at[4],
		.origin = get_u64(at + 8),
		.number = get_u64(at + 16),
	};
	return (message->kind == HOST_ASKS || message->kind == HOST_ANSWERS) &&
	       message->origin != 0;
}
